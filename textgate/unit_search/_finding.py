"""The finding that the protocol comes to, with every table that the verdict rests on."""

import html
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._shown import as_html
from textgate.interchange import Units
from textgate.unit_search._goals import Goals

# What each table shows, for a page.
CAPTIONS = {
    "interventions": "What each intervention does on the confirmation half, by direction. "
    "Accuracy of “both” is the mean of the directions. Flipped: of the items where the model is "
    "right on both prefixes. Share: of the logit difference, moved towards the counterpart's. "
    "Intervals: 95 %, bootstrap clustered on template and lexeme.",
    "codes": "What the found units say of each class: their values after the prefix.",
    "controls": "The same with sets of other units, as many, drawn at random and matched in "
    "activation norm.",
    "tests": "Sign flips by cluster: is the effect more than chance?",
    "side_tasks": "What the ablations cost where the feature plays no part.",
    "perplexity": "Perplexity on ordinary sentences; of all words, and of those that the pairs "
    "don't ask for.",
    "loss": "The model's loss on data, and what the ablations add to it.",
    "untrained": "The same model with fresh weights.",
    "further": "Other sets of units, disjoint from the first, that would do the job.",
    "direction": "The part of the state along a direction exchanged, on the confirmation half.",
    "selection": "How forward selection went, on the discovery half.",
    "layers": "What discovery came to in each layer.",
    "split": "The two halves: disjoint in templates, lexemes and verbs.",
    "members": "What each member of a confirmed set does by itself, and whether the set fails "
    "without it. One that does neither is not said to carry the feature.",
    "units": "What each unit does alone, on both halves.",
}
_MOST_ROWS = 40  # of a table on a page; the CSV files have all
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-size:13px;margin:.5rem 0}
td,th{padding:.15rem .5rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
td.w,th.w{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:4em}
h1,p,pre,caption{overflow-wrap:anywhere}pre{white-space:pre-wrap}.verdict{font-size:1.15rem;background:#f3f5f7;padding:1rem}
.scroll{overflow-x:auto}caption{caption-side:top;text-align:left;color:#555;white-space:normal}
"""


@dataclass(frozen=True)
class UnitFinding:
    """Which units hold a feature, and how that is known.

    Its sets are `textgate.interchange.Units`, which are tuples of numbers.

    Attributes:
        feature: What the pairs are about.
        layer: The layer.
        signal: Its signal.
        cell: The kind of cell.
        units: How many units the layer has.
        sufficient: The smallest set whose interchange flips the answer, confirmed; or empty.
        necessary: The smallest set without which agreement falls near chance, confirmed; or empty.
        specific: Where the necessary set isn't confined to the feature, another necessary one whose
            ablation spares the other tasks, confirmed as necessary; or empty.
        both: The one of the first two that is sufficient and necessary at once, the first if both
            are; or empty.
        carriers: The members of the first two that carry the feature: on the confirmation half they
            do something by themselves, or the set fails without them.
        alternatives: Further sets, disjoint from the sufficient one, that were confirmed as well.
        direction_rank: The dimensions of the subspace that does it; 0 if none of up to four does.
        claim: `"both"`, `"each"`, `"sufficient"`, `"necessary"`, `"neither"` or `"absent"`; see
            `verdict.claim_of`.
        verdict: The same in plain words, with numbers.
        tables: All tables by name; `CAPTIONS` says what each shows.
        goals: What was aimed at.
        settings: The arguments, and what was left out of the pairs.
        seed: The seed that everything follows from.
        versions: Of the libraries, and the model's fingerprint.
    """

    feature: str
    layer: str
    signal: str
    cell: str
    units: int
    sufficient: Units
    necessary: Units
    specific: Units
    both: Units
    carriers: Units
    alternatives: tuple[Units, ...]
    direction_rank: int
    claim: str
    verdict: str
    tables: Mapping[str, pd.DataFrame]
    goals: Goals
    settings: Mapping[str, Any]
    seed: int
    versions: Mapping[str, str]

    def __repr__(self) -> str:
        return (
            f"UnitFinding({self.feature!r}, {self.layer}/{self.signal}, {self.claim}: "
            f"sufficient={list(self.sufficient)}, necessary={list(self.necessary)})"
        )

    def summary(self) -> str:
        """Return the verdict, with what it rests on."""
        halves = self.tables["split"].set_index("half")["items"]
        left_out = int(halves.get("left out", 0))
        return (
            f"{self.verdict}\n"
            f"({self.feature} in {self.layer}/{self.signal}, {self.units} units; "
            f"{halves['discovery']} items for discovery, {halves['confirmation']} for "
            f"confirmation, with no {self._kinds()} in common"
            f"{f', which leaves out {left_out}' if left_out else ''}; seed {self.seed})"
        )

    def _kinds(self) -> str:
        """Return what the halves have not in common."""
        columns = self.tables["split"].columns
        kinds = [str(name)[:-1] for name in columns if name not in ("half", "items", "used")]
        return " or ".join([", ".join(kinds[:-1]), kinds[-1]] if len(kinds) > 1 else kinds)

    def _repr_html_(self) -> str:
        tables = {f"{_title(name)}. {caption}": name for name, caption in CAPTIONS.items()}
        return as_html(
            f"{self.feature} in {self.layer} ({self.signal})",
            self.summary().split("\n"),
            {title: self.tables[name] for title, name in tables.items() if name in self.tables},
        )

    def to_json(self) -> str:
        """Return everything but the tables as JSON."""
        names = (
            *("feature", "layer", "signal", "cell", "units", "sufficient", "necessary"),
            *("specific", "both", "carriers", "alternatives", "direction_rank", "claim"),
            *("verdict", "seed"),
        )
        facts = {name: getattr(self, name) for name in names} | {
            "goals": asdict(self.goals),
            "settings": dict(self.settings),
            "versions": dict(self.versions),
        }
        return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"

    def to_csv(self, directory: str | Path) -> list[Path]:
        """Write every table as a CSV file, and the rest as `finding.json`.

        Args:
            directory: Where to; it is made if it isn't there.

        Returns:
            The files.
        """
        from textgate._files import write_table, write_text

        paths = [Path(directory) / f"{name}.csv" for name in self.tables]
        for path, table in zip(paths, self.tables.values(), strict=True):
            write_table(path, table.assign(seed=self.seed))
        write_text(Path(directory) / "finding.json", self.to_json())
        return [*paths, Path(directory) / "finding.json"]

    def to_html(self, path: str | Path) -> Path:
        """Write the verdict and the tables as one page that needs nothing else.

        Args:
            path: The file; its directory is made if it isn't there.
        """
        from textgate._files import write_text

        title = f"{self.feature} in {self.layer} ({self.signal})"
        parts = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{html.escape(title)}</h1>",
            f'<p class="verdict">{html.escape(self.verdict)}</p>',
        ]
        for name, caption in CAPTIONS.items():
            if name in self.tables and len(self.tables[name]):
                parts.append(_html_table(name, caption, self.tables[name]))
        parts.append("<h2>Settings</h2><pre>" + html.escape(self.to_json()) + "</pre>")
        parts.append("</body></html>\n")
        target = Path(path)
        write_text(target, "\n".join(parts))
        return target


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _html_table(name: str, caption: str, table: pd.DataFrame) -> str:
    if name == "units":
        table = table.sort_values("rank")
    shown = table.head(_MOST_ROWS)
    more = f" The first {_MOST_ROWS} of {len(table)} rows." if len(table) > _MOST_ROWS else ""
    words = [not pd.api.types.is_numeric_dtype(shown[column]) for column in shown]

    def cell(tag: str, value: Any, word: bool) -> str:
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        text = "" if text == "nan" else text
        return f"<{tag}{' class=w' if word else ''}>{html.escape(text)}</{tag}>"

    head = "".join(cell("th", c, w) for c, w in zip(shown.columns, words, strict=True))
    body = "".join(
        "<tr>" + "".join(cell("td", v, w) for v, w in zip(row, words, strict=True)) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    return (
        f"<h2>{html.escape(_title(name))}</h2>"
        f'<div class="scroll"><table><caption>{html.escape(caption + more)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
