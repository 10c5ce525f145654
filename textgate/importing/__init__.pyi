"""The public names of `textgate.importing`, and the module that each comes from."""

from ._file_kinds import KINDS as KINDS
from ._file_kinds import kind_of as kind_of
from ._file_kinds import refuse as refuse
from ._keras_files import load_keras_file as load_keras_file
from ._torch_recurrent import RecurrentStack as RecurrentStack
from ._torch_recurrent import prefixes_of as prefixes_of
from ._torch_recurrent import read_stack as read_stack
from ._torch_recurrent import recurrent_model as recurrent_model
from ._torch_weights import TorchWeights as TorchWeights
from ._torch_weights import read_weights as read_weights

__all__ = [
    "KINDS",
    "RecurrentStack",
    "TorchWeights",
    "kind_of",
    "load_keras_file",
    "prefixes_of",
    "read_stack",
    "read_weights",
    "recurrent_model",
    "refuse",
]
