"""The model of one file, from the configuration that Keras 1 or 2 wrote.

A Sequential becomes a `keras.Sequential`, a model of the functional API one of the functional API.
A Sequential that does what a `keras.Sequential` can't (inputs in time-major order, old masks that
have to be passed on by hand, several branches) becomes a functional one with the same layers.
"""

from typing import Any

import keras

from textgate.importing._calling import Builder, Shapes
from textgate.importing._functional import Functional
from textgate.importing._layers import Entry, Origin, parts_of
from textgate.importing._sequential import sequential


class ModelMaker:
    """Makes the model of one file.

    Args:
        origin: Where the configuration comes from.
        shapes: As for `Builder`.

    Attributes:
        class_names: For each model made so far, by `id`, its class in the file.
    """

    def __init__(self, origin: Origin, shapes: Shapes) -> None:
        self.origin = origin
        self._builder = Builder(origin, self.make, shapes)
        self.class_names: dict[int, str] = {}

    @property
    def layers(self) -> list[Any]:
        """All layers made so far, nested and wrapped ones too."""
        return self._builder.maker.layers

    @property
    def order(self) -> dict[int, list[Any]]:
        """For each model made so far, by `id`, its layers in the order of the file."""
        return self._builder.order

    @property
    def warnings(self) -> list[str]:
        """What may differ from the old version's outputs."""
        return self._builder.warnings

    def make(self, entry: Entry) -> keras.Model:
        """Return the model of an entry, without its weights.

        Raises:
            ValueError: If Keras 3 has no such model, or it would run code.
        """
        class_name, config = parts_of(entry)
        self._builder.depth += 1
        try:
            if class_name == "Sequential":
                model = sequential(self._builder, config)
            elif class_name in ("Model", "Functional"):
                model = Functional(self._builder, config).model
            else:
                raise ValueError(
                    f"the file's model is of the class {class_name}, which isn't Keras's and whose "
                    "code isn't in the file; make the model, and load the weights into it with "
                    f"tg.load(path, into=model). Received: {class_name}"
                )
        finally:
            self._builder.depth -= 1
        self.class_names[id(model)] = class_name
        if config.get("trainable") is False:
            model.trainable = False
        return model

    def finish(self) -> None:
        """Make stateful what was, now that the variables have values."""
        for layer in self._builder.maker.stateful:
            parts = (
                [layer.forward_layer, layer.backward_layer]
                if isinstance(layer, keras.layers.Bidirectional)
                else [layer]
            )
            layer.stateful = True
            for part in parts:
                part.stateful = True
                if layer.built:
                    part.build(layer.input.shape)
