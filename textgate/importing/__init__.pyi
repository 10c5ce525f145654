"""The public names of `textgate.importing`, and the module that each comes from."""

from ._file_kinds import KINDS as KINDS
from ._file_kinds import kind_of as kind_of
from ._file_kinds import refuse as refuse
from ._keras_files import load_keras_file as load_keras_file

__all__ = [
    "KINDS",
    "kind_of",
    "load_keras_file",
    "refuse",
]
