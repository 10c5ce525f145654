"""A ladder whose accuracies are given, for what is drawn and said of one."""

import numpy as np
import pandas as pd

from textgate.study.ladder import Ladder
from textgate.study.ladder import _tables as ladder_tables
from textgate.study.ladder._runs import COUNTED

DISTANCES = {"1-2": 1, "3-5": 4, "6-10": 8, "11-20": 15, "21-40": 30, "41-80": 60}


def items():
    """Two items of each distance, number of referents and repetition, and columns without use."""
    rows = [
        {"distance": distance, "held": held, "split": "far" if distance > 40 else "test"}
        for distance in DISTANCES.values()
        for held in (1, 2, 3, 4)
        for _ in range(50)
    ]
    table = pd.DataFrame(rows).assign(attractors=0, incongruent_attractors=0, earlier=0)
    numbers = np.arange(len(table))
    return table.assign(
        nested=False,
        form="reflexive",
        direction="she→herself",
        template=(numbers % 5).astype(str),
        lexeme=(numbers % 7).astype(str),
    )


def made_up(right, seeds=5, bits=None, stopped=(), vary=0.005):
    """Return a ladder.

    Args:
        right: For each rung a function of distance and referents: the share of items right.
        seeds: How many of each rung.
        bits: A word, by rung; 3 where nothing is said.
        stopped: Rungs that the budget stopped.
        vary: How far seeds lie apart.
    """
    table = items()
    accuracies, each, runs, removed = [], [], [], []
    for number, (rung, share) in enumerate(right.items()):
        random = np.random.default_rng(number)
        count = 1 if rung in COUNTED else seeds
        of_rung = []
        for seed in range(count):
            # Which items of a cell are right is no matter, how many are is the share that is given.
            shares = np.array(
                [share(d, h) for d, h in zip(table.distance, table.held, strict=True)]
            )
            shares = shares + vary * random.normal() * (rung not in COUNTED)
            of_rung.append(table.assign(correct=np.arange(len(table)) % 50 < 50 * shares))
            facts = {"rung": rung, "seed": seed, "final": True, "learning_rate": 0.01, "units": 8}
            facts |= {"parameters": 100, "seconds": 1.0, "stopped": rung in stopped}
            given = (bits or {}).get(rung, 3.0) + 0.01 * random.normal()
            runs.append(facts | {"bits": given, "accuracy": of_rung[-1]["correct"].mean()})
            for part in (0.0, 0.5, 0.9) if rung != "constant" else ():
                for draw in range(3 if part else 1):
                    found = 0.5 + (shares.mean() - 0.5) * (1 - part) + 0.01 * draw
                    removed.append((rung, seed, part, int(8 * part), 8, draw, found))
        accuracies.append(ladder_tables.accuracy(rung, of_rung, resamples=20))
        each.append(ladder_tables.by_seed(rung, range(count), of_rung))
    accuracy = pd.concat(accuracies, ignore_index=True)
    columns = ["rung", "seed", "share", "removed", "units", "draw", "accuracy"]
    return Ladder(
        ladder_tables.one_line_a_rung(pd.DataFrame(runs), accuracy),
        accuracy,
        pd.DataFrame(runs),
        pd.DataFrame(removed, columns=columns),
        pd.concat(each, ignore_index=True),
    )
