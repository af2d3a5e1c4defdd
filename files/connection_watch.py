"""Cut off clients that hold a worker's thread and hardly speak.

The server has no time-out for a request body that stalls or an answer that is not fetched,
and the thread that waits for it cannot be interrupted. So one thread of each worker looks at
the process's own TCP connections every few seconds and shuts down those that were too slow
for too long. Linux only: elsewhere `start` says so in the log and does nothing.
"""

import fcntl
import logging
import os
import socket
import stat
import struct
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

logger = logging.getLogger(__name__)

# struct tcp_info of linux/tcp.h: tcpi_state, then tcpi_bytes_acked and tcpi_bytes_received.
STATE_OFFSET = 0
BYTES_OFFSET = 120
TCP_INFO_SIZE = 136
ESTABLISHED, CLOSE_WAIT = 1, 8


@dataclass(frozen=True)
class Limits:
    """How slow a connection may be, and for how long.

    A request may take as long as two lock time-outs of the database (30 s each) with nothing
    flowing at all, which is why silence is allowed for longer than a trickle.
    """

    trickle_s: float = 30
    silence_s: float = 90
    period_s: float = 5
    bytes_per_s: int = 1024

    @classmethod
    def within(cls, trickle_s: float) -> "Limits":
        """Return limits in the usual proportion for another length of the trickle window."""
        return cls(trickle_s, trickle_s * 3, trickle_s / 6)


@dataclass(frozen=True)
class Sample:
    """What the kernel says of one connection at one moment; times in s, the rest in bytes."""

    at: float
    received: int  # from the client, since the connection began
    acknowledged: int  # by the client, since the connection began
    unread: int = 0  # arrived, but not yet read by the server
    unsent: int = 0  # written by the server, but not yet acknowledged


def is_too_slow(samples: Sequence[Sample], limits: Limits) -> bool:
    """Return whether the client, and not the server, keeps this connection waiting.

    `samples` are of one connection, oldest first. A steady trickle is judged over the short
    window. Silence, and bytes that come so rarely that they might be the last ones of a
    request in work, are judged over the long one.
    """
    return any(
        _client_is_slow(_window(samples, length_s), limits.bytes_per_s, steady=steady)
        for length_s, steady in ((limits.trickle_s, True), (limits.silence_s, False))
    )


def _window(samples: Sequence[Sample], length_s: float) -> Sequence[Sample]:
    """Return the newest samples that span at least `length_s`, or none of them."""
    for index in range(len(samples) - 2, -1, -1):
        if samples[-1].at - samples[index].at >= length_s:
            return samples[index:]
    return ()


def _client_is_slow(samples: Sequence[Sample], bytes_per_s: int, *, steady: bool) -> bool:
    if not samples:
        return False
    first, last = samples[0], samples[-1]
    if all(sample.unsent for sample in samples):
        counts = [sample.acknowledged for sample in samples]
    elif first.acknowledged != last.acknowledged:
        return False  # It took all that it was sent: requests are being answered.
    elif any(sample.unread for sample in samples):
        return False  # The server is behind, not the client.
    else:
        counts = [sample.received for sample in samples]
    steps = [after - before for before, after in zip(counts, counts[1:], strict=False)]
    if steady and sum(step > 0 for step in steps) * 2 < len(steps):
        return False
    return sum(steps) < bytes_per_s * (last.at - first.at)


def own_connections(port: int) -> Iterator[socket.socket]:
    """Yield a duplicate of each TCP socket of this process that was accepted on `port`.

    The duplicate stays the same connection even if the server closes its own descriptor and
    the number is used again meanwhile. It is closed when the next one is asked for.
    """
    for name in os.listdir("/proc/self/fd"):
        try:
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            duplicate = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # Closed since it was listed.
        with duplicate, suppress(OSError):  # Reset since it was duplicated.
            if (
                duplicate.family in (socket.AF_INET, socket.AF_INET6)
                and duplicate.type == socket.SOCK_STREAM
                and duplicate.getsockname()[1] == port
            ):
                yield duplicate


def take_sample(connection: socket.socket) -> Sample | None:
    """Return the state of a connection, or None when it is not one with a client."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if info[STATE_OFFSET] not in (ESTABLISHED, CLOSE_WAIT):
        return None
    acknowledged, received = struct.unpack_from("=QQ", info, BYTES_OFFSET)
    unread, unsent = (
        struct.unpack("i", fcntl.ioctl(connection, request, bytes(4)))[0]
        for request in (termios.FIONREAD, termios.TIOCOUTQ)
    )
    return Sample(time.monotonic(), received, acknowledged, unread, unsent)


class ConnectionWatch:
    """The samples of a process's connections, and the means to cut the slow ones."""

    def __init__(self, port: int, limits: Limits) -> None:
        self.port = port
        self.limits = limits
        self.history: dict[int, deque[Sample]] = {}

    def look(self) -> int:
        """Sample every connection, shut down the slow ones and return how many those were."""
        length = int(self.limits.silence_s / self.limits.period_s) + 2
        seen: dict[int, deque[Sample]] = {}
        cut = 0
        for connection in own_connections(self.port):
            sample = take_sample(connection)
            if sample is None:
                continue
            inode = os.fstat(connection.fileno()).st_ino
            samples = seen[inode] = self.history.get(inode) or deque(maxlen=length)
            samples.append(sample)
            if is_too_slow(list(samples), self.limits):
                cut += 1
                connection.shutdown(socket.SHUT_RDWR)
        self.history = seen
        return cut

    def run(self) -> None:
        """Look again and again, for as long as the process lives."""
        while True:
            time.sleep(self.limits.period_s)
            try:
                cut = self.look()
            except OSError as error:  # No descriptor left, say: the next look may succeed.
                logger.warning("Connections could not be looked at: %s", error)
                continue
            if cut:
                logger.info("Slow clients cut off: %d", cut)


def is_supported() -> bool:
    """Return whether the kernel counts a connection's bytes where this module reads them."""
    if sys.platform != "linux" or not os.path.isdir("/proc/self/fd"):
        return False
    with socket.socket() as probe:
        info = probe.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return len(info) >= TCP_INFO_SIZE


def start(port: int, limits: Limits, *, supported: Callable[[], bool] = is_supported) -> bool:
    """Watch this process's connections on `port` from now on; return whether that is possible."""
    if not supported():
        logger.warning("Slow clients are not cut off here: that takes Linux 4.2 or newer")
        return False
    watch = ConnectionWatch(port, limits)
    threading.Thread(target=watch.run, name="connection-watch", daemon=True).start()
    return True
