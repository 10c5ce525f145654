"""The public names of `textgate.explorer`, and the module that each comes from."""

from ._explore import Explorer as Explorer
from ._explore import explore as explore
from ._models import shown_models as shown_models
from ._payload import CannotHoldError as CannotHoldError
from ._payload import payload_of as payload_of
from ._portable import portable as portable
from ._server import Server as Server

__all__ = [
    "CannotHoldError",
    "Explorer",
    "Server",
    "explore",
    "payload_of",
    "portable",
    "shown_models",
]
