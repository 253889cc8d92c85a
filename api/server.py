"""Serving: one listening socket, one or more workers, a graceful stop.

Workers are processes that share the socket; each joins the home's Neo4j by itself and maps the
snapshot, so the vectors are in memory once. The first process watches: a worker that dies is
replaced, and with the first process all stop.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import multiprocessing
import os
import signal
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from types import FrameType

import uvicorn

from api import logs
from lake.errors import AddressInUse, BadValue, DumbbellError, EngineError, SettingError
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake
from matching.bars import load_rules

GRACE_S = 10
"""How long requests in flight may take when the server stops."""

Ready = Callable[[str], None]


def serve(
    home: Home,
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    on_ready: Ready | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` hears the address once requests are answered.

    Port 0 takes a free one. Raises SettingError for an address beyond loopback without TLS and for a rule that
    cannot be used, AddressInUse where the port is taken, BadValue for a host that is no address, and what the engine
    raises when it does not start.
    """
    if workers < 1:
        raise BadValue("there cannot be fewer than one worker", "give --workers 1 or more")
    _check_tls(settings, host)
    load_rules(settings.rules, Lake(home.lake))  # a rule that cannot be used is refused here, not at a decision
    with _listening(host, port) as listener:
        shown = f"[{host}]" if ":" in host else host
        address = f"{'https' if settings.tls_cert else 'http'}://{shown}:{listener.getsockname()[1]}"

        def ready() -> None:
            if on_ready is not None:
                on_ready(address)

        if workers == 1:
            _work(home, settings, listener, ready)
        else:
            _work_together(home, settings, listener, workers, ready)


def require_free(host: str, port: int) -> None:
    """Raise what `serve` would for this address, before long work that is to end in serving."""
    with _listening(host, port):
        return


def _check_tls(settings: Settings, host: str) -> None:
    if not _is_loopback(host) and not (settings.tls_cert and settings.tls_key):
        raise SettingError(
            f"{host} is beyond this machine and there is no TLS",
            "set DUMBBELL_TLS_CERT and DUMBBELL_TLS_KEY, or serve on 127.0.0.1",
        )
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingError("only one of DUMBBELL_TLS_CERT and DUMBBELL_TLS_KEY is set", "set both, or none")
    if settings.tls_cert and settings.tls_key:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls_cert, settings.tls_key)
        except OSError as error:  # ssl.SSLError is one
            raise SettingError(
                f"DUMBBELL_TLS_CERT and DUMBBELL_TLS_KEY cannot be used ({error.strerror})",
                "name a PEM certificate and its private key, without a passphrase",
            ) from None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens already, before anything slow begins."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise BadValue(f"{host} is no address of this machine", "give --host 127.0.0.1") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(2048)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise AddressInUse(f"port {port} on {host} is in use", "choose another with --port") from None
            if error.errno == errno.EACCES:
                raise AddressInUse(
                    f"port {port} may not be used by this user", "choose one over 1023 with --port"
                ) from None
            raise BadValue(f"{host} is no address of this machine", "give --host 127.0.0.1") from None
        yield listener


class _Server(uvicorn.Server):
    """Says when it answers, and returns after a signal, so that whoever called it can tidy up."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        former = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _work(home: Home, settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    """One worker, in this process, until a signal."""
    from api.app import create_app
    from graph.store import open_store

    with open_store(home, settings) as store:
        config = uvicorn.Config(
            create_app(home, settings, store),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
        asyncio.run(_Server(config, ready).serve(sockets=[listener]))


def _work_together(
    home: Home, settings: Settings, listener: socket.socket, workers: int, ready: Callable[[], None]
) -> None:
    """Several workers, watched from here until a signal."""
    from graph.engine.server import running

    over = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        over.set()

    with running(home, settings), tempfile.TemporaryDirectory(prefix="dumbbell-metrics-") as metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics  # workers inherit it: their figures are added up
        former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        team: list[_Worker] = []
        try:
            team += [_Worker(home, settings, listener) for _ in range(workers)]
            if _all_answer(team, over):
                ready()
            while not over.wait(0.2):
                _replace_dead(team, home, settings, listener)
        finally:
            for worker in team:
                worker.stop()
            for number, handler in former.items():
                signal.signal(number, handler)
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


class _Worker:
    """One process that serves on the shared socket."""

    def __init__(self, home: Home, settings: Settings, listener: socket.socket) -> None:
        context = multiprocessing.get_context("spawn")
        self.answers: Event = context.Event()
        self.process: BaseProcess = context.Process(target=_begin, args=(home, settings, listener, self.answers))
        self.process.start()

    def stop(self) -> None:
        """Let requests in flight end, then go."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(GRACE_S + 20)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _begin(home: Home, settings: Settings, listener: socket.socket, answers: Event) -> None:
    """What a worker's process runs: it ends with its parent, however that ends."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
    try:
        _work(home, settings, listener, answers.set)
    except DumbbellError as error:
        logs.failure("a worker could not start", error)
        raise SystemExit(error.exit_status) from None


def _all_answer(team: list[_Worker], over: threading.Event) -> bool:
    """Wait for every worker; false when a signal came first. Raises EngineError where one gives up."""
    for worker in team:
        while not worker.answers.wait(0.1):
            if over.is_set():
                return False
            if not worker.process.is_alive():
                raise EngineError("a worker did not start", "the log above says why; `dumbbell doctor` says more")
    return True


def _replace_dead(team: list[_Worker], home: Home, settings: Settings, listener: socket.socket) -> None:
    for place, worker in enumerate(team):
        if not worker.process.is_alive():
            logs.event("a worker has ended and is replaced", status=worker.process.exitcode)
            time.sleep(1.0)  # one that ends at once must not spin
            team[place] = _Worker(home, settings, listener)
