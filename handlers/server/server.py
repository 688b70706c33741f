"""The server's life: listen, load what is to be loaded, answer, and end without losing a request."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from handlers.server.busy_poll import BusyPoll
from handlers.server.connection import Connection, Limits, Surroundings
from handlers.server.dispatch import Dispatcher
from handlers.server.machine import give_back
from warmstart.errors import StoreUnavailable

if TYPE_CHECKING:
    from handlers.inference.answers import Answer
    from handlers.server.dispatch import Done, Plane
    from warmstart.errors import WarmstartError
    from warmstart.protocols.wire import Request

BACKLOG: Final = 2048
TICK_S: Final = 1.0
DRAIN_POLL_S: Final = 0.02
RETRY_S: Final = 2.0
"""Between attempts to load a model from a store that does not answer."""


class State:
    """Where the server is in its life: `is_loaded` once it has what it is to load, `is_draining` once it is to end."""

    def __init__(self) -> None:
        self.is_loaded = self.is_draining = False

    @property
    def is_ready(self) -> bool:
        """Whether it wants requests."""
        return self.is_loaded and not self.is_draining


class Terms(NamedTuple):
    """How a server serves. `threads` compute what is not quick; `aliases` are paths that mean others."""

    host: str
    port: int
    threads: int
    queue: int
    busy_poll_s: float
    drain_s: float
    batched: frozenset[str]
    aliases: Mapping[str, str]
    limits: Limits = Limits()


class Beside(Protocol):
    """What listens beside HTTP, on threads of its own; `handlers.server.grpc.server.GrpcServer` is one."""

    def stop(self, grace_s: float) -> bool:
        """Take nothing new, let what runs end within this time, cut off the rest; say whether there was none."""
        ...


class Server:
    """Serves a data plane over HTTP until it is told to end.

    `load` is called once for each of `models`, on a thread; `announce` with the port, when the server listens.
    `begin_beside` has something else listen for as long.
    """

    def __init__(
        self,
        plane: Plane,
        terms: Terms,
        state: State,
        *,
        models: Sequence[str],
        load: Callable[[str], object],
        announce: Callable[[int], object],
        warn: Callable[[str], object],
        seed: str,
        begin_beside: Callable[[], Beside] | None = None,
    ) -> None:
        """Put together; `seed` begins the ids of all requests that bring none."""
        self._plane, self._terms, self._state = plane, terms, state
        self._models, self._load, self._announce, self._warn = models, load, announce, warn
        self._numbers, self._seed = count(1), seed
        self._begin_beside = begin_beside
        self._open: set[Connection] = set()
        self._date = ""

    async def serve(self) -> bool:
        """Serve until SIGTERM or SIGINT. Say whether all that was in flight was finished in time.

        Raises: OSError if the port cannot be had; WarmstartError if a model cannot be loaded.
        """
        beside = self._begin_beside() if self._begin_beside is not None else None
        try:
            return await self._serve(beside)
        finally:
            if beside is not None:
                beside.stop(0)

    async def _serve(self, beside: Beside | None) -> bool:
        loop = asyncio.get_running_loop()
        ends = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ends.set)
        surroundings = self._surroundings(loop)
        listening = await loop.create_server(lambda: Connection(surroundings), sock=self._listen())
        ticking = loop.create_task(self._tick(loop))
        try:
            self._announce(listening.sockets[0].getsockname()[1])
            await self._until(ends, loop)
        finally:
            self._state.is_draining = True
            listening.close()
            ticking.cancel()
        return await self._drained(loop, beside)

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._terms.host else socket.AF_INET
        both = family == socket.AF_INET6 and self._terms.host == "::" and socket.has_dualstack_ipv6()
        address = (self._terms.host, self._terms.port)
        return socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=both)

    def _surroundings(self, loop: asyncio.AbstractEventLoop) -> Surroundings:
        poll_s = self._terms.busy_poll_s
        poll = BusyPoll(poll_s, call_soon=loop.call_soon, now=time.perf_counter) if poll_s else None
        dispatcher = Dispatcher(
            self._plane,
            threads=self._terms.threads,
            queue=self._terms.queue,
            call_soon=loop.call_soon_threadsafe,
            opened=give_back,
            answered_here=poll.extend if poll is not None else lambda: None,
            batched=self._terms.batched,
        )
        aliases = self._terms.aliases

        def dispatch(request: Request, request_id: str, trace_id: str | None, done: Done) -> None:
            if request.path in aliases:
                request = request._replace(path=aliases[request.path])
            dispatcher.dispatch(request, request_id, trace_id, done)

        def refuse(error: WarmstartError, path: str, request_id: str) -> Answer:
            return self._plane.refuse(error, aliases.get(path, path), request_id)

        self._date = _http_date()
        return Surroundings(
            dispatch=dispatch,
            refuse=refuse,
            limits=self._terms.limits,
            now=loop.time,
            date=lambda: self._date,
            new_id=lambda: f"{self._seed}-{next(self._numbers)}",
            is_draining=lambda: self._state.is_draining,
            open=self._open,
        )

    async def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._date = _http_date()
            now = loop.time()
            for connection in tuple(self._open):
                connection.expire(now)

    async def _until(self, ends: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        loading = loop.create_task(self._load_all(loop))
        ending = loop.create_task(ends.wait())
        await asyncio.wait((loading, ending), return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            loading.result()
            self._state.is_loaded = True
            await ending
        loading.cancel()

    async def _load_all(self, loop: asyncio.AbstractEventLoop) -> None:
        for model in self._models:
            while not await self._loaded(model, loop):
                await asyncio.sleep(RETRY_S)

    async def _loaded(self, model: str, loop: asyncio.AbstractEventLoop) -> bool:
        try:
            await _on_a_thread(loop, self._load, model)
        except StoreUnavailable as error:
            self._warn(f"preload {model}: {error.message}")
            return False
        return True

    async def _drained(self, loop: asyncio.AbstractEventLoop, beside: Beside | None) -> bool:
        """Let what is in flight finish, then close all connections."""
        until = loop.time() + self._terms.drain_s
        stopping = loop.run_in_executor(None, beside.stop, self._terms.drain_s) if beside is not None else None
        while (busy := any(not connection.is_idle for connection in self._open)) and loop.time() < until:
            await asyncio.sleep(DRAIN_POLL_S)
        for connection in tuple(self._open):
            connection.close()
        await asyncio.sleep(0)
        return (stopping is None or await stopping) and not busy


def _http_date() -> str:
    """Say now as RFC 9110 wants it (5.6.7), as `email.utils` would, which takes 4 ms and 0.5 MB to import."""
    # In English: Python leaves the locale of dates at C, and nothing here sets another.
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())


async def _on_a_thread(loop: asyncio.AbstractEventLoop, load: Callable[[str], object], model: str) -> None:
    """Load a model on a thread of its own, which does not keep the process from ending."""
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failure: Exception | None = None
        try:
            load(model)
            give_back()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, whatever it is
            failure = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(finish, failure)

    Thread(target=run, name=f"load-{model}", daemon=True).start()
    await done
