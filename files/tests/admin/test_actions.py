from __future__ import annotations

import io
import re
import zipfile

import pytest
from django.db.models import QuerySet

from files.actors import SYSTEM
from files.admin import actions, runs, selection
from files.http.slots import transfer_slots
from files.models import Event, File, FileQuerySet
from files.services.deletion import delete_file
from files.tests.admin.pages import LIST, check_totals, run_action, text_of, told
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def events_of(file: File) -> list[tuple[str, str]]:
    found = Event.objects.filter(object_type="file", object_id=file.pk).order_by("pk")
    return [(event.name, event.actor) for event in found]


def confirmed(client, action, *files, **options):
    """Answer the question that comes first, with the fields of its form."""
    asked = text_of(run_action(client, action, *files, **options))
    fields: dict[str, list[str]] = {"confirmed": ["1"]}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked):
        fields.setdefault(name, []).append(value)
    return client.post(LIST + options.get("query", ""), fields)


def damage(file: File) -> None:
    File.everything.filter(pk=file.pk).update(data=b"other bytes")


def test_trash_asks_first_and_records_who(admin_client):
    files = [make_file(name=f"{number}.txt") for number in range(3)]
    asked = text_of(run_action(admin_client, "trash", *files[:2]))
    assert "2 files, " in asked
    assert "<bdi>1.txt</bdi>" in asked
    assert "30 days" in asked
    assert File.objects.count() == 3
    response = confirmed(admin_client, "trash", *files[:2])
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert list(File.objects.all()) == [files[2]]
    assert File.everything.count() == 3
    assert events_of(files[0])[-1] == ("file.trashed", "admin")
    assert "2 files were moved to the trash." in told(admin_client)
    check_totals()


def test_purge_tells_count_and_bytes_and_is_for_good(admin_client):
    files = [make_file(b"x" * (5000 + number), name=f"{number}.bin") for number in range(3)]
    delete_file(actor=SYSTEM, file_id=files[0].pk)
    asked = text_of(run_action(admin_client, "purge", *files[:2], query="?state=all"))
    assert "2 files, 9.8\xa0KB" in asked
    assert "cannot be undone" in asked
    confirmed(admin_client, "purge", *files[:2], query="?state=all")
    assert list(File.everything.all()) == [files[2]]
    assert events_of(files[0])[-1] == ("file.deleted", "admin")
    check_totals()


def test_many_names_are_not_all_shown(admin_client):
    files = [make_file(name=f"name {number}.txt") for number in range(13)]
    asked = text_of(run_action(admin_client, "purge", *files))
    assert asked.count("<bdi>name ") == 10
    assert "and 3 more" in asked


def test_restore(admin_client):
    file, live = make_file(name="back.txt"), make_file()
    delete_file(actor=SYSTEM, file_id=file.pk)
    run_action(admin_client, "restore", file, live, query="?state=all")
    assert File.objects.count() == 2
    assert events_of(file)[-1] == ("file.restored", "admin")
    assert len(events_of(live)) == 1
    assert "1 file was restored." in told(admin_client)
    check_totals()


def test_verify_names_what_is_damaged(admin_client):
    files = [make_file(name=f"{number}.txt") for number in range(3)]
    damage(files[1])
    run_action(admin_client, "verify", *files)
    words = told(admin_client)
    assert "2 files are intact. Failed: 1." in words
    assert f"File {files[1].pk} is damaged: its row says" in words
    assert "; the bytes in its row are damaged." in words
    found = Event.objects.filter(name="file.verified").order_by("object_id")
    assert [event.details["intact"] for event in found] == [True, False, True]
    assert {event.actor for event in found} == {"admin"}


def test_all_that_are_found_are_treated_whatever_the_page_shows(admin_client, monkeypatch):
    monkeypatch.setattr(runs, "REPORT_S", 0)
    monkeypatch.setattr("files.admin.listing.OperatorAdmin.list_per_page", 2)
    files = [make_file(name=f"{number}.txt") for number in range(250)]
    other = make_file(name="other.pdf")
    options = {"query": "?suffix=txt", "select_across": "1"}
    asked = text_of(run_action(admin_client, "trash", files[-1], **options))
    assert "250 files, " in asked
    page = text_of(confirmed(admin_client, "trash", files[-1], **options))
    assert "100 of 250" in page
    assert "200 of 250" in page
    assert "250 files were moved to the trash." in page
    assert page.rstrip().endswith("</html>")
    assert list(File.objects.all()) == [other]
    assert transfer_slots._taken == 0
    check_totals()


def test_what_came_after_the_question_is_left_alone(admin_client):
    old = make_file(name="old.txt")
    options = {"select_across": "1"}
    original = selection.amount_of

    def amount_of(files: FileQuerySet):
        amount = original(files)
        make_file(name="new.txt")
        return amount

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(actions, "amount_of", amount_of)
        confirmed(admin_client, "purge", old, **options)
    assert [file.name for file in File.everything.all()] == ["new.txt"]


@pytest.mark.parametrize("up_to", ["9" * 5000, "9" * 19, "²", "-1", ""])
def test_a_limit_that_is_no_id_is_refused(admin_client, up_to):
    file = make_file()
    response = run_action(admin_client, "purge", file, confirmed="1", up_to=up_to)
    assert response.status_code == 400
    assert "The selection holds what is no file." in response.content.decode()
    assert list(File.objects.all()) == [file]


def test_a_run_that_is_left_stops_and_gives_its_slot_back(admin_client):
    for number in range(150):
        make_file(name=f"{number}.txt")
    response = run_action(
        admin_client, "trash", File.objects.first(), select_across="1", confirmed="1"
    )
    parts = iter(response.streaming_content)
    next(parts)
    next(parts)
    # As `close` does, which would also end the test's connection.
    for close in response._resource_closers:
        close()
    assert File.objects.count() == 50
    assert transfer_slots._taken == 0
    check_totals()


def test_a_busy_server_says_so(admin_client, settings):
    settings.FILESERVER_THREADS = 1
    file = make_file()
    for number in range(101):
        make_file(name=f"{number}.txt")
    with transfer_slots.take():
        for action in ("verify", "export_csv", "download_zip"):
            response = run_action(admin_client, action, file, select_across="1")
            assert response.status_code == 302, action
            assert "busy" in told(admin_client)


def test_what_is_gone_meanwhile_is_counted_and_no_failure(admin_client):
    file, gone = make_file(name="a.txt"), make_file(name="b.txt")
    fields = {"_selected_action": [file.pk, gone.pk], "action": "trash", "confirmed": "1"}
    original = selection.ids_of

    def ids_of(files: FileQuerySet, up_to: int | None = None):
        ids = original(files, up_to)
        delete_file(actor=SYSTEM, file_id=gone.pk)
        return ids

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(actions, "ids_of", ids_of)
        admin_client.post(LIST, fields | {"select_across": "0"})
    assert "1 file was moved to the trash. 1 were not there any more" in told(admin_client)


def test_zip_holds_the_selected_files_with_those_in_the_trash(admin_client):
    kept, trashed = make_file(b"one", name="a.txt"), make_file(b"two", name="a.txt", folder="f")
    make_file(name="other.txt")
    delete_file(actor=SYSTEM, file_id=trashed.pk)
    response = run_action(admin_client, "download_zip", kept, trashed, query="?state=all")
    data = b"".join(response) if response.streaming else response.content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a.txt": b"one",
            "f/a.txt": b"two",
        }


def test_zip_of_a_damaged_file_is_refused_in_words(admin_client):
    file = make_file()
    damage(file)
    response = run_action(admin_client, "download_zip", file)
    assert response.status_code == 302
    assert "damaged" in told(admin_client)


@pytest.mark.parametrize(
    ("permissions", "offered"),
    [
        (["view_file"], {"verify", "download_zip", "export_csv"}),
        (["change_file"], {"verify", "download_zip", "export_csv", "restore"}),
        (
            ["view_file", "delete_file"],
            {"verify", "download_zip", "export_csv", "trash", "purge"},
        ),
    ],
)
def test_actions_need_their_permission(staff, permissions, offered):
    client = staff(*permissions)
    file = make_file()
    text = text_of(client.get(f"{LIST}?state=all"))
    names = {"verify", "download_zip", "export_csv", "restore", "trash", "purge"}
    assert {name for name in names if f'<option value="{name}">' in text} == offered
    assert "delete_selected" not in text
    for name in (names | {"delete_selected"}) - offered:
        run_action(client, name, file, query="?state=all", confirmed="1")
    assert list(File.objects.all()) == [file]
    assert len(events_of(file)) == 1


@pytest.mark.parametrize("action", ["trash", "purge", "verify", "export_csv"])
def test_without_any_permission_there_is_nothing(staff, client, action):
    file = make_file()
    assert run_action(staff(), action, file, confirmed="1").status_code == 403
    assert run_action(client, action, file, confirmed="1").status_code == 302
    assert File.objects.count() == 1


def test_without_a_trash_there_is_no_way_into_it(admin_client, settings):
    settings.FILESERVER_TRASH_DAYS = 0
    file = make_file()
    assert '<option value="trash">' not in text_of(admin_client.get(LIST))
    run_action(admin_client, "trash", file, confirmed="1")
    assert File.objects.count() == 1
    response = admin_client.get(f"{LIST}{file.pk}/delete/")
    assert response["Location"] == f"{LIST}{file.pk}/purge/"


def test_nothing_deletes_past_the_services(admin_client, monkeypatch):
    """The stock action and Django's own ways to delete are not reachable."""
    file = make_file()

    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError

    monkeypatch.setattr(QuerySet, "delete", fail)
    assert "delete_selected" not in text_of(admin_client.get(LIST))
    run_action(admin_client, "delete_selected", file, post="yes")
    admin_client.post(f"{LIST}{file.pk}/delete/", {"post": "yes"})
    assert list(File.objects.all()) == [file]
