"""The live view with Python behind it, for models that a page can't hold: a server on this machine.

It answers on the loopback interface only. Its address has a token in it, drawn anew each time, and
whoever doesn't know it gets nothing. A page of the web that a browser has open beside it could
still send requests here; so the Host header must name this server (a name that an attacker's DNS
points to 127.0.0.1 doesn't), and an Origin, if there is one, must be its own. What is sent is
bounded in size, and waits a bounded time for the model, which computes for one request at a time.
"""

import html
import json
import secrets
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Any

import pandas as pd
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from textgate.explorer._answers import Answers
from textgate.explorer._explore import HEIGHT, material
from textgate.explorer._models import shown_models
from textgate.explorer._page import TITLE, page
from textgate.explorer._subjects import InputSubject, subject_of

_HOST = "127.0.0.1"
_NAMES = (_HOST, "localhost")
_LARGEST = 1 << 20  # bytes of a question
_PATIENCE = 60.0  # seconds that a question waits for the model
_SILENCE = 30  # seconds after which a connection on which nothing comes is closed
_AT_ONCE = 16  # questions
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server:
    """A local server that shows models and answers the page's questions about them.

    Args:
        models: Keras models, or paths of them, as `textgate.explore` takes them; any that
            `textgate.trace` takes.
        tokenizer: The tokenizer of models of word ids that aren't language models of textgate.
        inputs: Examples of what a model takes that reads no text: what its `predict` takes. In the
            page one types the number of an example.
        findings: As for `textgate.explore`.
        pairs: Likewise.
        corpus: Likewise.
        port: The port; a free one by default.
        title: The page's title.

    Raises:
        FileNotFoundError: If there is no model at a path.
        ValueError: If a model needs a tokenizer or inputs and has neither.
        OSError: If the port isn't free.

    Example:

    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> with Server(model, inputs=np.ones((2, 5, 3))) as server:
    ...     print(server.url.split(":")[0])
    http
    """

    def __init__(
        self,
        models: Any,
        *,
        tokenizer: Any = None,
        inputs: Any = None,
        findings: Any = None,
        pairs: pd.DataFrame | None = None,
        corpus: Sequence[str] | None = None,
        port: int = 0,
        title: str = TITLE,
    ) -> None:
        shown = shown_models(models, findings)
        subjects = {one.name: subject_of(one.model, tokenizer, inputs) for one in shown}
        if all(isinstance(subject, InputSubject) for subject in subjects.values()):
            pairs, corpus = None, []
        tokenizers = [s.tokenizer for s in subjects.values() if not isinstance(s, InputSubject)]
        data = material(shown, tokenizers, pairs, corpus)
        self.title = title
        self._answers = Answers(subjects, data, {one.name: one.path for one in shown})
        self._token = secrets.token_urlsafe(24)
        self._model = threading.Lock()
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        served = {"models": [], **data, "server": {"path": "./", "models": list(subjects)}}
        self._page = page(served, title, "'self'")
        self._server = make_server(
            _HOST, port, Request.application(self._respond), threaded=True, request_handler=_Quiet
        )
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The page's address, with its token."""
        return f"http://{_HOST}:{self._server.port}/{self._token}/"

    def __repr__(self) -> str:
        return f"Server({', '.join(self._answers.subjects)}) at {self.url}"

    def run(self) -> None:
        """Answer until the process is interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()

    def start(self) -> "Server":
        """Answer in the background, until `close`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
            self._thread.start()
        return self

    def close(self) -> None:
        """Stop answering."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _repr_html_(self) -> str:
        """Return the page within a frame, for notebooks; it begins to answer."""
        self.start()
        return (
            f'<iframe src="{html.escape(self.url)}" width="100%" height="{HEIGHT}" '
            f'style="border:0" title="{html.escape(self.title)}"></iframe>'
        )

    # -- one request -------------------------------------------------------------------------

    def _respond(self, request: Request) -> Response:
        request.max_content_length = _LARGEST
        if not self._places.acquire(blocking=False):
            return _error(503, "too many questions at once; try again")
        try:
            return self._answered(request)
        except HTTPException as error:
            return _error(error.code or 400, error.description or error.name)
        finally:
            self._places.release()

    def _answered(self, request: Request) -> Response:
        hosts = {f"{name}:{self._server.port}" for name in _NAMES}
        origin = request.headers.get("Origin")
        if request.host not in hosts:
            return _error(403, "this server answers to its own name only")
        if origin is not None and origin.removeprefix("http://") not in hosts:
            return _error(403, "this server answers its own page only")
        token, _, question = request.path.lstrip("/").partition("/")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return _error(404, "there is nothing here")
        if not question:
            if request.method not in ("GET", "HEAD"):
                return _error(405, "the page is asked for by GET")
            return Response(self._page, mimetype="text/html", headers=_HEADERS)
        if request.method != "POST" or not request.is_json:
            return _error(405, "questions are asked by POST, in JSON")
        return self._asked(question, request.get_json())

    def _asked(self, question: str, query: Any) -> Response:
        if not self._model.acquire(timeout=_PATIENCE):
            return _error(503, "the model is busy; try again")
        try:
            answer = self._answers.answer(question, query)
            return _json(200, answer)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            return _error(400, str(error) or type(error).__name__)
        except Exception:  # a fault of ours or of the model's: it is told where the server runs
            traceback.print_exc(file=sys.stderr)
            return _error(500, "the model could not answer; see where the server runs")
        finally:
            self._model.release()


class _Quiet(WSGIRequestHandler):
    """Prints no line for each request, and hangs up on who says nothing."""

    timeout = _SILENCE

    def log(self, *_: Any) -> None:
        """Print nothing."""


def _json(status: int, value: Any) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text, status, mimetype="application/json", headers=_HEADERS)


def _error(status: int, says: str) -> Response:
    return _json(status, {"error": says})
