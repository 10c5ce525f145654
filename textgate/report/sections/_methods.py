"""Methods: data, models, seeds, versions, and the commands that make the page again."""

from typing import Any

import pandas as pd

from textgate.report._blocks import Block, Code, Points, Section, Table, Text, plain
from textgate.report._findings import Findings, ModelFindings
from textgate.report._words import count, is_number, number, seconds

_REFERENCES = (
    "Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 (LSTM and forget gate)",
    "Cho et al. 2014 (GRU; its z keeps the old state, as here and in Keras)",
    "Vig et al. 2020; Geiger et al. 2021 (interchange interventions)",
    "Lakretz et al. 2019 (ablating units of a language model)",
    "Hewitt & Liang 2019 (control tasks); Westfall & Young 1993 (max-T); Owen 2007 (pigeonhole "
    "bootstrap)",
    "Karpathy, Johnson & Fei-Fei 2015 (saturation)",
)


def section(findings: Findings) -> Section:
    """Return the section."""
    study = findings.study
    blocks: list[Block] = [
        Text(
            "Everything on this page was computed by textgate from the tables that lie beside it "
            "(folder `tables`), and no number was typed in. Agreement is measured on minimal "
            "pairs: the model passes if the right form makes the sentence likelier than each wrong "
            "one; a tie is wrong, and so is a word that it doesn’t know. Intervals are 95 % "
            "bootstrap intervals that resample constructions and words, not sentences, because "
            "sentences of one construction succeed and fail together"
            + (
                " (in contexts of text: documents). In such contexts, the summed probability of "
                "all forms of *she* as the next word is set against that of all forms of *he*, "
                "because *her* is two forms in one"
                if any(model.rule for model in findings.models)
                else ""
            )
            + ". Gender here is grammatical: "
            "the pronoun that a name or noun takes in English text."
        )
    ]
    blocks.append(_settings(findings))
    for model in findings.models:
        if model.skipped:
            blocks.append(
                Points(
                    tuple(
                        f"{model.title}, *{plain(stage)}* left out: {plain(reason)}"
                        for stage, reason in model.skipped.items()
                    )
                )
            )
    blocks.append(Text("To repeat it, and to take a single step of it:"))
    blocks.append(Code("\n".join(_commands(findings))))
    if findings.seconds:
        total = sum(findings.seconds.values())
        longest = sorted(findings.seconds.items(), key=lambda item: -item[1])[:4]
        parts = ", ".join(f"{plain(name)} {seconds(value)}" for name, value in longest)
        cores = findings.models[0].versions.get("cores")
        on = f" on a machine with {plain(cores)} cores" if cores else ""
        blocks.append(Text(f"It took {seconds(total)}{on} ({parts}, …)."))
    blocks.append(
        Text(
            "Limits. "
            + (
                "Each model here was trained with one seed"
                if findings.ladder is None
                else "Apart from the table over seeds, each model here was trained with one seed"
            )
            + f" ({plain(study.get('seed', 0))}); another seed gives other units, and may give "
            "another number of them. Units of several layers at once were not tried, and forward "
            "selection finds a small set, not always the smallest.",
        )
    )
    blocks.append(Text("Methods from: " + "; ".join(_REFERENCES) + ".", "note"))
    return Section("Methods, and how to repeat it", tuple(blocks))


def _commands(findings: Findings) -> list[str]:
    """Return the commands that make the study, whole and stage by stage."""
    study = findings.study
    command = study.get("command")
    lines = [f"{command}    # everything; goes on where it stopped"] if command else []
    lines += [str(line) for line in study.get("commands", ())]
    return lines or ["textgate report DIRECTORY    # this page anew, from what is on disk"]


def _settings(findings: Findings) -> Table:
    models = findings.models
    rows: dict[str, list[str]] = {}

    def add(name: str, values: list[Any]) -> None:
        if any(value not in (None, "", "None") for value in values):
            rows[name] = ["–" if value in (None, "") else str(value) for value in values]

    add("cell", [model.cell for model in models])
    add("units", [_list(model.config.get("units")) for model in models])
    add("weights", [_count(model.config.get("parameters")) for model in models])
    add("trained on", [_list(model.config.get("data")) for model in models])
    add("words read in training", [_count(_last(model, "words")) for model in models])
    add("validation loss (nats a word)", [_loss(model) for model in models])
    for name in ("dropout", "batch_size", "learning_rate", "weight_decay", "epochs", "seed"):
        add(name.replace("_", " "), [model.config.get(name) for model in models])
    add("protocol", [_protocol(model) for model in models])
    for name in ("textgate", "keras", "tensorflow", "numpy", "python", "machine"):
        add(name, [model.versions.get(name) for model in models])
    table = pd.DataFrame(
        [[name, *values] for name, values in rows.items()],
        columns=["", *[model.title for model in models]],
    )
    return Table(table, "Settings and versions.")


def _list(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")


def _count(value: Any) -> str:
    return count(value) if is_number(value) else ""


def _last(model: ModelFindings, name: str) -> Any:
    if model.history is None or not len(model.history) or name not in model.history:
        return None
    return model.history[name].iloc[-1]


def _loss(model: ModelFindings) -> str:
    if model.history is None or "validation_loss" not in model.history or not len(model.history):
        return ""
    return number(model.history["validation_loss"].min(), 3)


def _protocol(model: ModelFindings) -> str:
    finding = model.finding
    if finding is None:
        return ""
    split = model.table("split", "units")
    seed = f"seed {finding.get('seed', 0)}"
    if split is None or "used" not in split:
        return seed
    used = split.set_index("half")["used"]
    return f"{count(used.get('discovery'))} + {count(used.get('confirmation'))} items, {seed}"
