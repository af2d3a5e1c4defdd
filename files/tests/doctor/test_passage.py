from __future__ import annotations

import pytest

from files.doctor import client as client_module
from files.doctor import passage as module
from files.doctor.client import Client
from files.doctor.findings import Finding, Status
from files.doctor.passage import passage
from files.tests.doctor.faulty_proxy import Faults, faulty_proxy
from files.tests.running_server import free_port

pytestmark = [pytest.mark.live, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def shorter(monkeypatch):
    monkeypatch.setattr(module, "PROBE_BYTES", 3 << 20)
    # The server drains a refused body for 2 s; what comes later than that never comes.
    monkeypatch.setattr(client_module, "EARLY_S", 2.5)


def through(server, faults: Faults) -> dict[str, Finding]:
    """Return what is found through a proxy, without what is well."""
    with faulty_proxy(server.port, faults) as url:
        found = list(passage(Client(url)))
    assert_nothing_stays(server)
    return {one.check: one for one in found if one.status is not Status.OK}


def assert_nothing_stays(server) -> None:
    assert server.files() == []
    assert server.query("SELECT COUNT(*) FROM content WHERE state = 'receiving'") == [(0,)]


def test_server_itself_is_found_well(server):
    found = list(passage(Client(server.url)))

    assert {one.status for one in found} == {Status.OK}, found
    assert [one.check for one in found] == [
        "Server", "Upload", "Addresses", "Download", "Ranges", "ETag", "Expect: 100-continue",
        "Buffering", "DELETE",
    ]  # fmt: skip
    assert_nothing_stays(server)


def test_limit_of_a_proxy_is_named_with_its_directive(server):
    found = through(server, Faults(max_body=1 << 20))

    assert found["Upload"].status is Status.PROBLEM
    assert "3 MiB are answered 413 by a proxy" in found["Upload"].text
    assert "client_max_body_size" in found["Upload"].hint
    assert "Ranges" not in found


def test_buffering_is_told(server):
    assert set(through(server, Faults())) == {"Buffering"}


def test_proxy_that_answers_expect_is_fine(server):
    with faulty_proxy(server.port, Faults()) as url:
        found = {one.check: one for one in passage(Client(url))}

    assert "by itself" in found["Expect: 100-continue"].text


def test_blocked_put_is_told(server):
    found = through(server, Faults(blocked=frozenset({"PUT"})))

    assert "does not let PUT through" in found["Upload"].text
    assert "limit_except" in found["Upload"].hint


def test_blocked_delete_leaves_a_probe_and_says_so(server):
    with faulty_proxy(server.port, Faults(blocked=frozenset({"DELETE"}))) as url:
        found = {one.check: one for one in passage(Client(url))}

    (file,) = server.files()
    assert found["DELETE"].status is found["Probe"].status is Status.PROBLEM
    assert f"File {file['id']}" in found["Probe"].text
    assert file["name"].startswith("doctor-probe-")


def test_dropped_ranges_are_told(server):
    found = through(server, Faults(dropped=frozenset({"Range"})))

    assert found["Ranges"].status is Status.PROBLEM


def test_weakened_tag_is_told(server):
    found = through(server, Faults(changed={"etag": 'W/"x"'}))

    assert 'W/"x"' in found["ETag"].text


def test_compression_is_told(server):
    found = through(server, Faults(changed={"content-encoding": "gzip"}))

    assert "compresses" in found["Download"].text


def test_lost_host_is_told(server):
    found = through(server, Faults(dropped=frozenset({"Host"}), added={"Host": "localhost"}))

    assert "takes itself for http://localhost" in found["Addresses"].text
    assert "FILESERVER_TRUSTED_PROXIES" in found["Addresses"].hint


def test_unknown_host_is_told(server):
    found = through(server, Faults(dropped=frozenset({"Host"}), added={"Host": "example.org"}))

    assert "does not know the name" in found["Server"].text
    assert "FILESERVER_ALLOWED_HOSTS" in found["Server"].hint


def test_probe_is_removed_though_the_answer_to_its_upload_was_lost(server):
    class LostOnce(Faults):
        lost_yet = False

    faults = LostOnce(lost=frozenset({"PUT"}))
    with faulty_proxy(server.port, faults) as url:
        client = Client(url)
        ask = client.ask

        def ask_and_mend(method, path, *arguments, **options):
            try:
                return ask(method, path, *arguments, **options)
            finally:
                if method == "PUT":
                    faults.lost = frozenset()

        client.ask = ask_and_mend  # type: ignore[method-assign]  # only this one
        found = {one.check: one for one in passage(client)}

    assert found["Upload"].status is Status.PROBLEM
    assert "break off" in found["Upload"].text
    assert found["Download"].status is Status.OK
    assert_nothing_stays(server)


def test_probe_is_removed_when_the_checks_are_broken_off(server):
    checks = passage(Client(server.url))
    while next(checks).check != "Upload":
        pass
    assert len(server.files()) == 1

    next(checks)
    checks.close()

    assert_nothing_stays(server)


def test_nobody_there_is_told():
    (found,) = passage(Client(f"http://127.0.0.1:{free_port()}"))

    assert found.status is Status.PROBLEM
    assert "cannot be reached" in found.text
    assert "Nothing listens" in found.hint


def test_another_server_is_told(server):
    (found,) = passage(Client(f"{server.url}/elsewhere"))

    assert "404" in found.text
    assert "FILESERVER_URL_PREFIX" in found.hint


def test_proxy_without_a_server_is_told():
    with faulty_proxy(free_port(), Faults(blocked=frozenset({"GET"}))) as url:
        (found,) = passage(Client(url))

    assert "answered 403 by a proxy before the file server (nginx/1.0" in found.text
