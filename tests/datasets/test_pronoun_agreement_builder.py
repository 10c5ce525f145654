"""The TFDS builder, by TFDS's own test, and against the data made in memory."""

import json

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

tfds = pytest.importorskip("tensorflow_datasets")

from textgate import datasets  # noqa: E402
from textgate.datasets.pronoun_agreement import Builder  # noqa: E402


class TestBuilder(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    BUILDER_CONFIG_NAMES_TO_TEST = None
    SPLITS = json.loads((Builder.pkg_dir_path / "dummy_data" / "sizes.json").read_text())
    SKIP_CHECKSUMS = True

    def _make_builder(self, config=None):
        return Builder(data_dir=self.tmp_dir, config=config, version=None, sizes=self.SPLITS)


def test_prepared_and_direct_data_are_the_same(tmp_path):
    builder = Builder(data_dir=tmp_path, sizes={"test": 12})
    builder.download_and_prepare()
    examples = list(tfds.as_numpy(builder.as_dataset(split="test", shuffle_files=False)))
    direct = datasets.minimal_pairs("pronoun_agreement", split="test", size=12)
    prepared = {example["text"].decode(): example for example in examples}
    assert len(prepared) == 12
    assert set(direct.good) <= set(prepared)
    for row in direct.itertuples():
        example = prepared[row.good]
        assert example["target"] == row.target
        assert builder.info.features["class"].int2str(example["class"]) == row.good_class
        assert example["distance"] == row.distance
        assert example["prefix"].decode() == row.prefix
