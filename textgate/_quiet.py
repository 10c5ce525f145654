"""Keeps off the user's terminal what TensorFlow says without need.

Its C++ parts write to standard error while they are imported, before any Python setting
reaches them, and `TF_CPP_MIN_LOG_LEVEL` doesn't silence all of it. So the file descriptor itself is
turned to a temporary file for the time of the import. If the import fails, what was written is
shown, since it may say why.

Its warning of functions that are compiled again and again is meant for those who didn't mean to.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to standard error, and show it only if an exception comes."""
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (AttributeError, OSError, ValueError):  # no standard error to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            if failed:
                held.seek(0)
                os.write(2, held.read())


@contextmanager
def compiling_is_meant() -> Iterator[None]:
    """Hold back TensorFlow's warning of functions compiled for many shapes; no other."""
    logger = logging.getLogger("tensorflow")

    def says_something(record: logging.LogRecord) -> bool:
        return "retracing" not in record.getMessage()

    logger.addFilter(says_something)
    try:
        yield
    finally:
        logger.removeFilter(says_something)
