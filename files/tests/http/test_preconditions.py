import hashlib
import json

import pytest

from files.tests.http.fake_storage import AFTER, BEFORE, LARGE, LAST_MODIFIED, SMALL, ask

HASH = hashlib.sha256(SMALL).hexdigest()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": f'"{HASH}"'}, 304),
        ({"If_None_Match": f'W/"{HASH}"'}, 304),
        ({"If_None_Match": f'"other", "{HASH}"'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_None_Match": HASH}, 200),
        ({"If_Modified_Since": LAST_MODIFIED}, 304),
        ({"If_Modified_Since": AFTER}, 304),
        ({"If_Modified_Since": BEFORE}, 200),
        ({"If_Modified_Since": "yesterday"}, 200),
        # A tag takes the place of a date, even one that names nothing.
        ({"If_None_Match": '"other"', "If_Modified_Since": AFTER}, 200),
        ({"If_None_Match": "nonsense", "If_Modified_Since": AFTER}, 200),
        ({"If_Match": f'"{HASH}"'}, 200),
        ({"If_Match": f'"other", "{HASH}"'}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": f'W/"{HASH}"'}, 412),
        ({"If_Match": '"other"'}, 412),
        ({"If_Match": "nonsense"}, 412),
        ({"If_Match": f'"{HASH}"', "If_Unmodified_Since": BEFORE}, 200),
        ({"If_Unmodified_Since": LAST_MODIFIED}, 200),
        ({"If_Unmodified_Since": BEFORE}, 412),
        ({"If_Unmodified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
        ({"If_Unmodified_Since": "yesterday"}, 200),
        ({"If_Match": '"other"', "If_None_Match": f'"{HASH}"'}, 412),
        ({"If_Match": f'"{HASH}"', "If_None_Match": f'"{HASH}"'}, 304),
        # Preconditions come before ranges.
        ({"If_None_Match": f'"{HASH}"', "Range": "bytes=0-1"}, 304),
        ({"If_Match": '"other"', "Range": "bytes=100-"}, 412),
        ({"If_Match": f'"{HASH}"', "Range": "bytes=0-1"}, 206),
        ({"If_Match": f'"{HASH}"', "Range": "bytes=100-"}, 416),
        ({"Range": "bytes=0-1", "If_Range": f'"{HASH}"'}, 206),
        ({"Range": "bytes=0-1", "If_Range": LAST_MODIFIED}, 206),
        ({"Range": "bytes=0-1", "If_Range": "Tuesday, 04-Mar-25 05:06:07 GMT"}, 206),
        ({"Range": "bytes=0-1", "If_Range": f'W/"{HASH}"'}, 200),
        ({"Range": "bytes=0-1", "If_Range": '"other"'}, 200),
        ({"Range": "bytes=0-1", "If_Range": BEFORE}, 200),
        ({"Range": "bytes=0-1", "If_Range": AFTER}, 200),
        ({"Range": "bytes=0-1", "If_Range": ""}, 200),
        ({"Range": "bytes=100-", "If_Range": '"other"'}, 200),
        ({"If_Range": '"other"'}, 200),
    ],
)
def test_conditions(keep, headers, status):
    file, _ = keep(SMALL)
    response = ask(file, **headers)
    assert response.status_code == status
    head_status = 200 if status in (206, 416) else status
    assert ask(file, "HEAD", **headers).status_code == head_status


def test_not_modified_keeps_validators_and_policy(keep):
    file, store = keep(LARGE)
    whole = ask(file)
    whole.close()
    response = ask(file, If_None_Match=file.etag)
    assert response.content == b""
    kept = {"ETag", "Last-Modified", "Cache-Control", "Content-Security-Policy"}
    assert {name: response[name] for name in kept} == {name: whole[name] for name in kept}
    assert response["Content-Length"] == str(len(LARGE))
    for name in ("Content-Type", "Content-Disposition", "Repr-Digest"):
        assert name not in response


def test_failed_precondition_is_a_problem(keep):
    file, _ = keep(SMALL)
    response = ask(file, If_Match='"other"')
    assert json.loads(response.content)["code"] == "version_mismatch"
