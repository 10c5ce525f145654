"""The TFDS builder of `pronoun_agreement`.

Nothing is downloaded, so the dummy data of TFDS's test are only the sizes of very small splits.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from textgate.datasets import _counterparts as counterparts
from textgate.datasets import _pronoun_items as pronoun_items
from textgate.datasets import _pronoun_pairs as pronoun_pairs
from textgate.datasets.lexicon import CLASSES, FORMS

_KINDS = ("pronoun", "name", "title", "noun", "thing", "group", "shared name", "neutral noun")


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builds the data set from the tables of the package; nothing is downloaded.

    Args:
        sizes: Sentences in each split; those of `pronoun_items.SIZES` if None.
        **kwargs: What `tfds.core.GeneratorBasedBuilder` takes, such as `data_dir`.
    """

    name = "pronoun_agreement"
    VERSION = tfds.core.Version("1.2.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.1.0": "51 more constructions for training; more antecedents are pronouns; 80,000 items.",
        "1.2.0": "More long chains of verb phrases.",
    }
    # The metadata lie beside this file, in an installed wheel too.
    code_path = epath.Path(__file__)
    pkg_dir_path = epath.Path(__file__).parent

    def __init__(self, *, sizes: dict[str, int] | None = None, **kwargs: Any):
        self._sizes = dict(pronoun_items.SIZES if sizes is None else sizes)
        super().__init__(**kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        text, number = tfds.features.Text(), tfds.features.Scalar(np.int32)
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "text": text,
                    "tokens": tfds.features.Sequence(tfds.features.Text()),
                    "target": number,
                    "form": tfds.features.ClassLabel(names=FORMS),
                    "class": tfds.features.ClassLabel(names=CLASSES),
                    "antecedent": text,
                    "antecedent_position": number,
                    "antecedent_kind": tfds.features.ClassLabel(names=_KINDS),
                    "distance": number,
                    "attractors": number,
                    "incongruent_attractors": number,
                    "attractor_kind": text,
                    "template": text,
                    "lexeme": text,
                    "verbs": text,
                    "counterpart": text,
                    "prefix": text,
                }
            ),
            supervised_keys=None,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, Any]]]:
        return {split: self._generate_examples(split) for split in self._sizes}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, item in enumerate(pronoun_items.items(split, self._sizes[split])):
            known = pronoun_pairs.describe(item)
            known["text"] = known.pop("good")
            known["class"] = known.pop("good_class")
            del known["neuter_kind"], known["referents"]
            kinds = sorted({f"{where} {place}" for _, place, where in item.others})
            other = counterparts.of_gender(item)
            known["counterpart"] = pronoun_pairs.counterpart(other)["counterpart"]
            known["attractors"] = len(item.others)
            known["incongruent_attractors"] = sum(
                gender != item.gender for gender, _, _ in item.others
            )
            known["attractor_kind"] = "+".join(kinds) if kinds else "none"
            yield number, known
