"""The page: the playground served on the loopback address, to browsers of this machine that know its address.

The address has a random token. A request for another host name (as in DNS rebinding) or from another origin is
refused, and the page's Content-Security-Policy lets it contact only this server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from nn.playing import files
from nn.playing.conversation import answer
from nn.playing.experiment import Experiment
from nn.playing.settings import Settings

LOOPBACK = "127.0.0.1"
MESSAGE = 2**16  # bytes of a message from a view, at most
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def application(settings: Settings, token: str, port: Callable[[], int]) -> Any:
    """The tornado application: the page's files under /token/, and the conversation at /token/talk.

    Every connection has its own experiment. Raises ModuleNotFoundError if tornado is not installed.
    """
    try:
        from tornado import web
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the page of the playground is served by tornado, which is not installed: "
            'pip install "autodiff-nn[playground]"',
            name="tornado",
        ) from error

    def refuse_others(handler: Any) -> None:
        """Refuse a request whose host is not the loopback address and port of this server."""
        if handler.request.host not in {f"{name}:{port()}" for name in (LOOPBACK, "localhost")}:
            raise web.HTTPError(403)

    class Elsewhere(web.RequestHandler):
        def prepare(self) -> None:
            raise web.HTTPError(404)

    return web.Application(
        [(f"/{token}/talk", _talk(settings, refuse_others)), (rf"/{token}/([\w.]*)", _files(refuse_others))],
        default_handler_class=Elsewhere,
        websocket_max_message_size=MESSAGE,
        compress_response=False,
        log_function=lambda handler: None,
    )


def _files(check: Callable[[Any], None]) -> Any:
    """The handler of the page's files."""
    from tornado import web

    class Files(web.RequestHandler):
        def prepare(self) -> None:
            check(self)

        def set_default_headers(self) -> None:
            for name, value in HEADERS.items():
                self.set_header(name, value)

        def get(self, name: str) -> None:
            if name not in files.SERVED:
                raise web.HTTPError(404)
            file, kind = files.SERVED[name]
            self.set_header("Content-Type", f"{kind}; charset=utf-8")
            self.finish(files.text(file))

    return Files


def _talk(settings: Settings, check: Callable[[Any], None]) -> Any:
    """The handler of the conversation."""
    from tornado import websocket

    class Talk(websocket.WebSocketHandler):
        def prepare(self) -> None:
            check(self)

        def check_origin(self, origin: str) -> bool:
            return origin == f"http://{self.request.host}"

        def open(self) -> None:
            self.experiment = Experiment(settings)

        async def on_message(self, message: str | bytes) -> None:
            try:
                asked = json.loads(message)
            except ValueError:
                asked = None  # answered by a frame with an error
            frame = answer(self.experiment, asked)
            with contextlib.suppress(websocket.WebSocketClosedError):  # the page may have been closed meanwhile
                await self.write_message(frame.to_bytes(), binary=True)

    return Talk


async def serving(settings: Settings, port: int, ready: Callable[[str], None]) -> None:
    """Serve until it is cancelled; `ready` is called with the address of the page. Port 0 takes any free port."""
    token = secrets.token_urlsafe(24)
    bound: list[int] = []
    app = application(settings, token, lambda: bound[0])
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    sockets = bind_sockets(port, address=LOOPBACK)
    bound.append(sockets[0].getsockname()[1])
    server = HTTPServer(app)
    server.add_sockets(sockets)
    text = settings.address()
    try:
        ready(f"http://{LOOPBACK}:{bound[0]}/{token}/{'#' if text else ''}{text}")
        await asyncio.Event().wait()
    finally:
        server.stop()
        await server.close_all_connections()


def serve(settings: Settings, port: int = 0, ready: Callable[[str], None] = print) -> None:
    """Serve the page until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serving(settings, port, ready))
