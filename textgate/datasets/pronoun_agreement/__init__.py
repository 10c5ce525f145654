"""The TFDS data set `pronoun_agreement`: import this package, and `tfds.load` knows it.

The generated sentences need no TFDS: `textgate.datasets.sentences` and `minimal_pairs` make them
in memory. The builder is there for those who want them prepared on disk, with their features.

Example (prepares the data set in TFDS's folder, or in `data_dir`):

    import tensorflow_datasets as tfds
    import textgate.datasets.pronoun_agreement
    examples = tfds.load("pronoun_agreement", split="test")
"""

from textgate.datasets.pronoun_agreement.pronoun_agreement_dataset_builder import Builder

__all__ = ["Builder"]
