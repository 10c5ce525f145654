"""Which units of a language model hold gender: a run in; the units, the tables and a figure out.

    python scripts/train.py runs/she-her/lstm
    python scripts/gender_units.py runs/she-her/lstm --to gender-units

The units are chosen on one half of the pairs and confirmed on the other, which has none of its
templates, names, nouns or verbs. See `textgate.unit_search` for what counts as evidence.
"""

import argparse
import pathlib

import textgate as tg


def main() -> None:
    """Find the units, print what is claimed of them, and write tables, a page and a figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--to", type=pathlib.Path, default=pathlib.Path("gender-units"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    lm = tg.load(arguments.run)
    pairs = tg.datasets.minimal_pairs("pronoun_agreement", split="test")
    finding = tg.find_units(lm, pairs, feature="gender", seed=arguments.seed)

    print(finding.summary())
    table = finding.tables["interventions"]
    columns = ["set", "units", "intervention", "direction", "accuracy", "flipped", "share"]
    print(table[columns].to_string(index=False, float_format="{:.3f}".format))
    print("\nWhat the units say of each class of antecedent:")
    print(finding.tables["codes"].to_string(index=False, float_format="{:.2f}".format))

    finding.to_csv(arguments.to)
    finding.to_html(arguments.to / "units.html")
    tg.plots.units_found(finding).savefig(arguments.to / "units.png")
    print(f"wrote {arguments.to}")


if __name__ == "__main__":
    main()
