"""What has to happen when Keras and TensorFlow are imported, without importing them now.

`keras.saving.load_model` finds a layer of ours only if the layer's module has been imported, and
importing it imports Keras and its backend, which takes seconds. So `import textgate` does not: it
leaves a finder on `sys.meta_path` that waits for Keras's own import and imports our modules right
after it. If Keras is there already, the modules are imported at once.

The same finder keeps TensorFlow's import quiet (see `textgate._quiet`).
"""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from textgate._quiet import quiet_stderr

# Modules whose import registers something with Keras.
_SERIALIZABLE = ("textgate.layers", "textgate.models")


class _Watcher(importlib.abc.MetaPathFinder):
    """Finds `keras` and `tensorflow` as others would, and wraps the way they are executed."""

    def __init__(self) -> None:
        self._finding: set[str] = set()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in ("keras", "tensorflow") or fullname in self._finding:
            return None
        self._finding.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._finding.discard(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                if fullname == "tensorflow":
                    with quiet_stderr():
                        execute(module)
                        # Looking for GPUs complains where there are none; look now.
                        module.config.list_physical_devices()
                else:
                    execute(module)
                    _import_serializable()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _import_serializable() -> None:
    # Our layers need `textgate.recurrence`, which may be what imports Keras: it catches up then.
    recurrence = sys.modules.get("textgate.recurrence")
    if getattr(getattr(recurrence, "__spec__", None), "_initializing", False):
        return
    for module in _SERIALIZABLE:
        importlib.import_module(module)


def catch_up() -> None:
    """Register what was left out because `textgate.recurrence` was just being imported."""
    if hasattr(sys.modules.get("keras"), "layers"):
        for module in _SERIALIZABLE:
            importlib.import_module(module)


def watch_imports() -> None:
    """Make textgate known to Keras, now or as soon as it is imported."""
    keras = sys.modules.get("keras")
    if keras is None or "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Watcher())
    # Keras that is still being imported has no layers yet; whoever imports it uses us later.
    if keras is not None and hasattr(keras, "layers"):
        _import_serializable()
