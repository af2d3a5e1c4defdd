"""Which connections are cut off, and that the kernel's figures are read rightly."""

import os
import socket

import pytest

from files.connection_watch import (
    ConnectionWatch,
    Limits,
    Sample,
    is_too_slow,
    own_connections,
    start,
    take_sample,
)

LIMITS = Limits()


def samples(count, *, received=0, acknowledged=0, unread=0, unsent=0, every=1):
    """Return samples 5 s apart; the counters grow by that much at every `every`-th."""
    return [
        Sample(
            at=1000 + 5 * step,
            received=500 + received * (step // every),
            acknowledged=700 + acknowledged * (step // every),
            unread=unread,
            unsent=unsent,
        )
        for step in range(count)
    ]


@pytest.mark.parametrize(
    ("story", "history", "expected"),
    [
        ("just seen", samples(1), False),
        ("a trickling body, 25 s old", samples(6, received=5), False),
        ("a trickling body, 30 s old", samples(7, received=5), True),
        ("a body that comes at 1 KiB/s", samples(40, received=5 * 1024), False),
        ("a body that comes a little slower", samples(7, received=5 * 1023), True),
        ("a byte every 10 s", samples(7, received=1, every=2), True),
        ("a byte every 20 s, after 85 s", samples(18, received=1, every=4), False),
        ("a byte every 20 s, after 90 s", samples(19, received=1, every=4), True),
        ("silent for 85 s, its request may be in work", samples(18), False),
        ("silent for 90 s", samples(19), True),
        ("an answer that is fetched", samples(40, acknowledged=10**6, unsent=10**6), False),
        ("an answer fetched byte by byte", samples(7, acknowledged=9, unsent=10**6), True),
        ("an answer not fetched for 85 s", samples(18, unsent=10**6), False),
        ("an answer not fetched for 90 s", samples(19, unsent=10**6), True),
        ("more requests sent, no answer fetched", samples(19, unread=99, unsent=10**6), True),
        ("a slow answer, fetched as it comes", samples(40, acknowledged=20), False),
        ("small requests, small answers", samples(40, received=90, acknowledged=200), False),
        ("the server doesn't read what is there", samples(40, unread=10**5), False),
    ],
)
def test_who_is_too_slow(story, history, expected):
    assert is_too_slow(history, LIMITS) is expected, story


def test_a_request_that_waited_may_go_on_trickling_only_for_a_while():
    waiting = samples(17, received=0)
    trickling = [
        Sample(waiting[-1].at + 5 * step, waiting[-1].received + step, 700) for step in range(1, 5)
    ]
    assert not is_too_slow(waiting, LIMITS)
    assert is_too_slow(waiting + trickling, LIMITS)


def test_a_finished_upload_may_wait_for_the_database():
    sent = [Sample(0, 0, 0), Sample(5, 9000, 0)]
    waiting = [Sample(5 * step, 9000, 0) for step in range(2, 15)]
    assert not is_too_slow(sent + waiting, LIMITS)


def test_limits_keep_their_proportion():
    assert Limits.within(LIMITS.trickle_s) == LIMITS


@pytest.fixture
def connected():
    """Return both ends of a connection and the port of the end that accepted it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _address = listener.accept()
        with client, server:
            yield client, server, listener.getsockname()[1]


def test_kernel_figures_are_bytes_and_times(connected):
    client, server, _port = connected
    client.sendall(b"x" * 5000)
    server.sendall(b"y" * 700)
    client.recv(700, socket.MSG_WAITALL)
    server.recv(2000, socket.MSG_WAITALL)
    sample = take_sample(server)
    assert (sample.received, sample.acknowledged, sample.unread) == (5000, 700, 3000)
    assert sample.unsent == 0


def test_unfetched_answer_is_unsent(connected):
    _client, server, _port = connected
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            server.send(bytes(1 << 16))
    assert take_sample(server).unsent > 0


def test_only_accepted_connections_are_sampled(connected):
    _client, server, port = connected
    peers = [
        connection.getpeername()
        for connection in own_connections(port)
        if take_sample(connection) is not None
    ]
    assert peers == [server.getpeername()]


def test_looking_leaves_no_descriptor_open(connected):
    _client, _server, port = connected
    watch = ConnectionWatch(port, LIMITS)
    before = os.listdir("/proc/self/fd")
    for _count in range(3):
        watch.look()
    assert os.listdir("/proc/self/fd") == before


def test_a_slow_connection_is_shut_down_and_forgotten(connected):
    client, server, port = connected
    watch = ConnectionWatch(port, Limits(trickle_s=0.1, silence_s=0, period_s=0.1))
    assert watch.look() == 0
    assert watch.look() == 1
    client.settimeout(5)
    assert client.recv(1) == b""
    server.close()
    watch.look()
    assert watch.history == {}


def test_elsewhere_nothing_is_watched(caplog):
    assert start(8000, LIMITS, supported=lambda: False) is False
    assert "Slow clients are not cut off here" in caplog.text
