"""Registers textgate's layers with Keras, without importing Keras.

`keras.saving.load_model` finds a layer of ours only if the layer's module has been imported, and
importing it imports Keras and its backend, which takes seconds. So `import textgate` does not: it
leaves a finder on `sys.meta_path` that waits for Keras's own import and imports our modules right
after it. If Keras is there already, the modules are imported at once.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

# Modules whose import registers something with Keras.
_SERIALIZABLE = ("textgate.layers", "textgate.models")


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Finds `keras` as others would, and imports `_SERIALIZABLE` once it has been executed."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        loader = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _import_serializable()

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _import_serializable() -> None:
    for module in _SERIALIZABLE:
        importlib.import_module(module)


def register_with_keras() -> None:
    """Make textgate's layers known to Keras, now or as soon as Keras is imported."""
    keras = sys.modules.get("keras")
    if keras is None:
        sys.meta_path.insert(0, _AfterKeras())
    elif hasattr(keras, "layers"):
        _import_serializable()
