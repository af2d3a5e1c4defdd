"""Run the server: granian's workers, the sweeper beside them, and the end of them all.

`serve` is what the command of that name calls. Every process started here ends with the one
that started it, however that one ended.
"""

import errno
import gc
import ipaddress
import os
import queue
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from files import allocator, connection_watch
from files.checks.connections import USUAL_WORKERS
from files.child_processes import PARENT_VARIABLE, KeptProcess, die_with_parent
from files.http.slots import transfer_slots

__all__ = ["ServeOptions", "die_with_parent", "serve"]

Application = Callable[..., Iterable[bytes]]

# After kill -9 the old workers need a moment to notice, and let go of the port.
PORT_WAIT_S = 4
# Below the 10 s after which container engines kill what they stop.
GRACE_S = 8
HTTP1 = HTTP1Settings(
    header_read_timeout=10_000,  # ms; idle connections between two requests end by it too
    max_buffer_size=1 << 16,  # bytes per connection; uploads are no faster with granian's 400 KiB
)
# Connections a worker accepts at a time; further ones wait in the kernel's queue.
CONNECTIONS_PER_WORKER = 2048
SWEEP_PERIOD_S = 60


@dataclass(frozen=True)
class ServeOptions:
    """What `manage.py serve` was asked for."""

    host: str
    port: int
    workers: int
    threads: int
    allow_open: bool = False
    limits: connection_watch.Limits = field(default_factory=connection_watch.Limits)


def serve(options: ServeOptions, *, announce: Callable[[str], Any]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets the one line with the address.

    Raises CommandError when the address is not to be had or not to be opened to strangers.
    """
    address = resolve(options.host, options.port)
    refuse_open_mode(address, allowed=options.allow_open or settings.FILESERVER_ALLOW_OPEN)
    if not Path(settings.STATIC_ROOT).is_dir():
        raise CommandError("The static files are missing: run `manage.py collectstatic` first.")
    holder = hold_port(address, options.port)
    raise_descriptor_limit()
    # A connection shared through fork would have two processes talk on it at once.
    connections.close_all()
    die_with_parent(then=partial(os.kill, os.getpid(), signal.SIGTERM))
    os.environ.pop(PARENT_VARIABLE, None)
    server = build_server(options, address)
    sweeper = KeptProcess(sweep_command())
    # Before the workers are forked, so that a failure of theirs cannot come between.
    server.on_startup(sweeper.start)
    host = f"[{address}]" if ":" in address else address
    announce(f"File server at http://{host}:{options.port}/ (Ctrl-C stops it)")
    # The workers share what is there already for as long as nobody, the collector included, writes.
    gc.freeze()
    try:
        server.serve(target_loader=worker_loader(options), wrap_loader=False)
    finally:
        sweeper.stop()
        holder.close()


def default_workers() -> int:
    """Return one worker process on SQLite, whose writers then queue fairly, else two.

    Measured with eight uploaders of 10 KB: with one worker 140 a second and 1 % slower than
    205 ms, with two 107 a second and 1 % slower than 500 to 700 ms, as SQLite lets
    processes wait by sleeping, in no order.
    """
    return 1 if connection.vendor == "sqlite" else USUAL_WORKERS


def build_server(options: ServeOptions, address: str) -> MPServer:
    """Return granian's server, set up but not started."""
    static_url = "/" + settings.STATIC_URL.strip("/")
    # A proxy may send the path with the prefix or without it.
    static_routes = {static_url, static_url.removeprefix(url_prefix())}
    return MPServer(
        settings.WSGI_APPLICATION,
        address=address,
        port=options.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1,
        websockets=False,
        workers=options.workers,
        blocking_threads=options.threads,
        backlog=CONNECTIONS_PER_WORKER,
        backpressure=CONNECTIONS_PER_WORKER,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_S,
        static_path_route=list(static_routes),
        static_path_mount=[Path(settings.STATIC_ROOT)] * len(static_routes),
        # Its warnings are about the number of threads, which is chosen on purpose.
        log_level=LogLevels.error,
    )


def worker_loader(options: ServeOptions) -> Callable[[], Application]:
    """Return what a new worker calls first; it can be pickled where workers are not forked."""
    return partial(load_application, os.getpid(), options)


def load_application(parent: int, options: ServeOptions) -> Callable[..., Any]:
    """Make this process a good worker and return the WSGI application."""
    die_with_parent(parent)
    allocator.tune()
    connection_watch.start(options.port, options.limits)
    transfer_slots.threads = options.threads
    application = without_prefix(import_string(settings.WSGI_APPLICATION), url_prefix())
    return closing_connections(application)


class LeftConnections:
    """Hands the database connections of a thread, whose local this is, over when that ends.

    Threads come and go with the load. Django's connections are parts of reference cycles, so
    that those of ended threads would stay open until the garbage collector comes by. They
    cannot be closed here: a thread that is being taken down crashes (CPython 3.11) when SQLite
    calls back into Python.
    """

    def __init__(self, left: queue.SimpleQueue[Sequence[BaseDatabaseWrapper]]) -> None:
        self.left = left
        self.connections = connections.all()

    def __del__(self) -> None:
        self.left.put(self.connections)


def closing_connections(application: Application) -> Application:
    """Return `application` made to leave no database connection behind when a thread ends."""
    local = threading.local()
    left: queue.SimpleQueue[Sequence[BaseDatabaseWrapper]] = queue.SimpleQueue()

    def close_left() -> None:
        while True:
            for ended in left.get():
                ended.inc_thread_sharing()  # Else only its own thread might close it.
                with suppress(DatabaseError):  # The server may have gone before.
                    ended.close()

    threading.Thread(target=close_left, name="connection-closer", daemon=True).start()

    def closing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not hasattr(local, "connections"):
            local.connections = LeftConnections(left)
        return application(environ, start_response)

    return closing


def url_prefix() -> str:
    """Return the path that a proxy publishes the server under, "" when it is the root."""
    return (settings.FORCE_SCRIPT_NAME or "").rstrip("/")


def without_prefix(application: Application, prefix: str) -> Application:
    """Return `application` made to understand paths with the prefix as well as without."""

    def unprefixed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(prefix + "/"):
            environ["PATH_INFO"] = path.removeprefix(prefix)
        return application(environ, start_response)

    return unprefixed if prefix else application


def resolve(host: str, port: int) -> str:
    """Return the IP address to listen at, IPv4 where a name stands for both."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise CommandError(f"--host {host}: {error.strerror}.") from error
    return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])


def refuse_open_mode(address: str, *, allowed: bool) -> None:
    """Raise CommandError when strangers on the network could write and delete."""
    if settings.FILESERVER_ACCESS != "open" or allowed:
        return
    if not ipaddress.ip_address(address).is_loopback:
        raise CommandError(
            f"At {address}, anyone on the network could read, add and delete every file: set "
            "FILESERVER_ACCESS=private (or read), or, if that is what you want, "
            "FILESERVER_ALLOW_OPEN=1 or --allow-open."
        )


def hold_port(address: str, port: int, *, wait_s: float = PORT_WAIT_S) -> socket.socket:
    """Return a socket that marks the port as taken, or raise CommandError.

    The workers share their port with SO_REUSEPORT, and so would a second server, unnoticed.
    Hence first a look with an ordinary socket; the one that is kept lets only SO_REUSEPORT
    pass, and as it doesn't listen it gets no connections.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    give_up_at = time.monotonic() + wait_s
    while True:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
            holder = socket.socket(family, socket.SOCK_STREAM)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((address, port))
            return holder
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < give_up_at:
                time.sleep(0.1)
                continue
            raise CommandError(
                f"Port {port} of {address} cannot be used: {error.strerror}. "
                "Stop what holds it, or choose another with --port (make run: PORT=8001)."
            ) from error


def raise_descriptor_limit() -> None:
    """Allow as many open files as the system lets this user have.

    A thread's SQLite connection takes three, so the usual 1,024 end at 256 busy clients.
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS names a limit that it then refuses.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def sweep_command() -> list[str]:
    """Return the command line of the sweeper."""
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    return [sys.executable, manage, "sweep", "--every", str(SWEEP_PERIOD_S)]
