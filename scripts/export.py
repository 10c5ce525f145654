"""Exports a model as a SavedModel, and calls it as somebody would who has only TensorFlow.

    python scripts/export.py runs/she-her/lstm saved_models/lstm
    python scripts/export.py my_model.keras my_saved_model --overwrite

The first argument is a run directory, or any Keras model with recurrent layers.
"""

import argparse
import pathlib

import keras
import tensorflow as tf

import textgate as tg

TEXT = "She came out and played with"


def main() -> None:
    """Export, load, describe; and print what a language model says of a sentence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("to", type=pathlib.Path)
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args()

    if arguments.model.suffix == ".keras":
        model = keras.saving.load_model(arguments.model, compile=False)
    else:
        model = tg.load(arguments.model)
    tg.export.saved_model(model, arguments.to, overwrite=arguments.overwrite)

    served = tf.saved_model.load(str(arguments.to))
    print(served.describe()["description"].numpy().decode())
    if isinstance(model, tg.models.LanguageModel):
        pronouns = served.pronouns(tf.constant([TEXT]))
        print(f"\nAfter {TEXT!r}:")
        for name, probability in zip(
            pronouns["classes"].numpy()[0], pronouns["class_probabilities"].numpy()[0], strict=True
        ):
            print(f"  {name.decode():<10} {probability:.3f}")


if __name__ == "__main__":
    main()
