"""The data plane behind other HTTP servers: `python -m benchmarks.http_candidates NAME PORT STORE`.

Each is what its documentation shows, with its fastest parser and loop, in one process, without an access log; all
compute on the thread that reads, as `warmstart serve` does for quick models.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import uvloop

from handlers.inference.answers import Answer, headers_of
from handlers.inference.data_plane import DataPlane, build_data_plane
from handlers.server.settings import ServerSettings
from model_store.file import FileObjects
from warmstart.protocols.wire import Request


def main() -> None:
    """Serve until killed."""
    name, port, store = sys.argv[1:]
    CANDIDATES[name](data_plane(Path(store)), int(port))


def data_plane(store: Path) -> DataPlane:
    """Build what all of them ask."""
    settings = ServerSettings.from_env({"WARMSTART_STORE_URL": f"file://{store}", "TMPDIR": str(store.parent)})
    return build_data_plane(
        settings.inference._replace(processors=os.cpu_count()),
        FileObjects(store),
        write=lambda _line: None,
        clock=time.time,
    )


def answer(plane: DataPlane, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Ask."""
    return plane.respond(Request(method, path, headers, body), "r-1")


def uvicorn(plane: DataPlane, port: int) -> None:
    """ASGI on uvicorn, httptools and uvloop."""
    import uvicorn

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        found = answer(plane, scope["method"], scope["path"], headers, body)
        fields = [(name.encode(), value.encode()) for name, value in headers_of(found, "r-1").items()]
        fields.append((b"content-length", str(len(found.body)).encode()))
        await send({"type": "http.response.start", "status": found.status, "headers": fields})
        await send({"type": "http.response.body", "body": found.body})

    options: Any = {"loop": "uvloop", "http": "httptools", "lifespan": "off", "access_log": False}
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", **options)


def granian_rsgi(plane: DataPlane, port: int) -> None:
    """RSGI on granian, embedded: one process, as all others."""
    from granian.server.embed import Server

    async def app(scope: Any, protocol: Any) -> None:
        body = await protocol()
        found = answer(plane, scope.method, scope.path, dict(scope.headers.items()), body)
        protocol.response_bytes(found.status, list(headers_of(found, "r-1").items()), found.body)

    options: Any = {"interface": "rsgi", "log_enabled": False}
    server = Server(app, address="127.0.0.1", port=port, **options)
    uvloop.run(server.serve())


def aiohttp(plane: DataPlane, port: int) -> None:
    """Run aiohttp's low-level server, without its router, on uvloop."""
    from aiohttp import web

    async def app(request: Any) -> Any:
        headers = {name.lower(): value for name, value in request.headers.items()}
        found = answer(plane, request.method, request.path, headers, await request.read())
        return web.Response(status=found.status, body=found.body, headers=headers_of(found, "r-1"))

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(app))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    uvloop.run(serve())


def cheroot(plane: DataPlane, port: int) -> None:
    """WSGI on threads: cheroot, CherryPy's server."""
    from cheroot.wsgi import Server

    def app(environ: Mapping[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        headers = {"content-type": environ.get("CONTENT_TYPE", "")}
        found = answer(plane, environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body)
        fields = [*headers_of(found, "r-1").items(), ("content-length", str(len(found.body)))]
        start(f"{found.status} {'OK' if found.status == 200 else 'Refused'}", fields)
        return [found.body]

    Server(("127.0.0.1", port), app, numthreads=16).start()


def on_threads(_plane: DataPlane, port: int) -> None:
    """Our own server, with every request on a thread of its own."""
    from handlers.server import __main__ as server
    from handlers.server import pace

    pace.QUICK_NS = 0  # type: ignore[misc]  # nothing is quick
    server.main({**os.environ, "WARMSTART_STORE_URL": f"file://{sys.argv[3]}", "WARMSTART_PORT": str(port)})


CANDIDATES: Final[Mapping[str, Callable[[DataPlane, int], None]]] = {
    "warmstart serve, all on threads": on_threads,
    "uvicorn": uvicorn,
    "granian": granian_rsgi,
    "aiohttp": aiohttp,
    "cheroot": cheroot,
}

if __name__ == "__main__":
    main()
