"""One thread for small linear algebra, where several cost more than they save."""

from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which linear algebra keeps to one thread.

    The products of a probe are so small that threads, which wait for each other by spinning, take
    ten times the processor's time.

    Example:

    >>> with one_thread():
    ...     pass
    """
    limit: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limit


@cache
def _controller() -> "ThreadpoolController":
    import sklearn.linear_model  # noqa: F401  (so that its libraries are there to be found)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
