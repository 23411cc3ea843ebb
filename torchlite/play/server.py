"""A trainer, served to pages of this machine alone."""

import json
import os
import secrets
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from time import thread_time
from typing import Any

from torchlite.errors import StateError
from torchlite.play.data import RAISED
from torchlite.play.saved import POLICY
from torchlite.play.trainer import Trainer

__all__ = ["Server"]

HOST = "127.0.0.1"
# A command is short.
LONGEST = 1 << 16
# So many seconds after a frame, a page asks for the next at the latest; and one that waits for it
# is told of the end in far less than these.
GRACE, LONG = 0.7, 5.0

_HTML, _CSS, _JS = (f"text/{kind}; charset=utf-8" for kind in ("html", "css", "javascript"))
# What a page may ask for by name: the package that has it, and what it is.
FILES = {
    "": ("torchlite.play", "play.html", _HTML),
    "play.css": ("torchlite.play", "play.css", _CSS),
    "breaking.js": ("torchlite.play", "breaking.js", _JS),
    "play.js": ("torchlite.play", "play.js", _JS),
    "live.js": ("torchlite.play", "live.js", _JS),
    "arrays.css": ("torchlite.stepping", "arrays.css", _CSS),
    "arrays.js": ("torchlite.stepping", "arrays.js", _JS),
}
_OWN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_WHOLE = f"{POLICY}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Server(ThreadingHTTPServer):
    """A web server on 127.0.0.1 for whoever knows the secret in its address.

    A page elsewhere cannot know the secret, and one that has rebound its name to this machine asks
    for another host than this: both are refused, and get nothing else.

    Parameters
    ----------
    trainer
        What is served.
    port
        Where; 0 takes a free one.
    again
        How to start it again, for pages that have lost it.

    Attributes
    ----------
    address
        The address of the page.

    Raises
    ------
    StateError
        Another program has the port.
    """

    daemon_threads = True
    block_on_close = False
    # Elsewhere a port that was just left can be had again; on Windows one that is in use.
    allow_reuse_address = os.name != "nt"

    def __init__(
        self, trainer: Trainer, port: int = 0, again: str = "start the program again"
    ) -> None:
        self.trainer, self.again = trainer, again
        self.secret = secrets.token_urlsafe(24)
        self.telling, self._told = 0, threading.Condition()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise StateError(
                f"play: port {port} cannot be had: {error.strerror or error}",
                method="play",
                argument="port",
                hint="without --port a free one is taken",
            ) from None
        self.own = f"{HOST}:{self.server_address[1]}"
        self.address = f"http://{self.own}/{self.secret}/"

    def farewell(self, words: str) -> None:
        """End the trainer, and let the pages that look hear of it: to be called before the end."""
        watched = self.trainer.watched
        self.trainer.close(words)
        with self._told:
            self._told.wait_for(lambda: not self.telling, LONG)
        if watched:
            # What is open is answered still.
            time.sleep(GRACE)

    def tell(self, count: int) -> None:
        """Take down that a thread more, or one less, has somebody to tell something."""
        with self._told:
            self.telling += count
            self._told.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A page that is closed meanwhile is nobody's fault.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "torchlite", ""
    disable_nagle_algorithm = True
    # An answer is sent as a whole.
    wbufsize = -1
    # Connections on which nothing is asked are closed.
    timeout = 30
    worked = 0.0

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        name = self._asked()
        if name is None:
            return
        path, _, query = name.partition("?")
        if path in FILES and not query:
            package, file, kind = FILES[path]
            self._send(resources.files(package).joinpath(file).read_bytes(), kind)
        elif path == "again" and not query:
            self._send(json.dumps(self.server.again).encode(), "application/json")
        elif path == "frame":
            self._frame(query)
        elif path == "step" and not query:
            self._whole(self.server.trainer.page)
        elif path == "save" and not query:
            self._whole(self.server.trainer.story)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_POST(self) -> None:
        name = self._asked()
        if name is None:
            return
        length = self.headers.get("Content-Length", "")
        if name != "do" or self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing to be done here")
        elif not (_short(length) and int(length) <= LONGEST):
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a command is short")
        else:
            try:
                command = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                self._refuse(HTTPStatus.BAD_REQUEST, "a command is JSON")
                return
            answer = self.server.trainer.do(command)
            self._send(json.dumps(answer, allow_nan=False).encode(), "application/json")

    def _asked(self) -> str | None:
        """Return what is asked for below the secret; refuse it if this is not its own page."""
        own, secret = self.server.own, self.server.secret
        hosts = self.headers.get_all("Host", [])
        origin = self.headers.get("Origin", f"http://{own}")
        given, _, name = self.path.removeprefix("/").partition("/")
        known = secrets.compare_digest(given.encode(errors="replace"), secret.encode())
        if known and hosts == [own] and origin == f"http://{own}":
            return name
        self._refuse(HTTPStatus.FORBIDDEN, "this page is for the one who started it")
        return None

    def _frame(self, query: str) -> None:
        after = query.removeprefix("after=")
        if not _short(after):
            self._refuse(HTTPStatus.BAD_REQUEST, "frame?after=0")
            return
        self.server.tell(1)
        try:
            text = self.server.trainer.told(int(after))
            if text is None:
                self._send(b"", "application/json", HTTPStatus.NO_CONTENT)
            else:
                self._send(text.encode(), "application/json")
        finally:
            self.server.tell(-1)
        # What this thread worked since the last frame was for this one.
        worked = thread_time()
        self.server.trainer.charge(worked - self.worked)
        self.worked = worked

    def _whole(self, made: Any) -> None:
        try:
            page = made()
        except RAISED as error:
            words = f"{type(error).__name__}: {error}"
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, words)
        else:
            self._send(page.encode(), _HTML, policy=_WHOLE)

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        # What else was sent is not read.
        self.close_connection = True
        self._send(f"{words}\n".encode(), "text/plain; charset=utf-8", status)

    def _send(
        self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, policy: str = _OWN
    ) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", policy),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _short(number: str) -> bool:
    """Tell whether a text is a whole number, and one of few digits: int() refuses thousands."""
    return number.isascii() and number.isdecimal() and len(number) < 16
