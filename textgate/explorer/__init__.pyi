"""The public names of `textgate.explorer`, and the module that each comes from."""

from ._explore import Explorer as Explorer
from ._explore import explore as explore
from ._payload import payload_of as payload_of
from ._portable import portable as portable

__all__ = ["Explorer", "explore", "payload_of", "portable"]
