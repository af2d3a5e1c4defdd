from __future__ import annotations

import pytest

from files.models import File
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def test_delete_is_204_and_then_404(client):
    file = make_file()
    response = client.delete(f"/delete/{file.pk}")
    assert (response.status_code, response.content) == (204, b"")
    assert client.delete(f"/delete/{file.pk}").status_code == 404
    assert client.get(f"/download/{file.pk}").json()["code"] == "not_found"


@pytest.mark.parametrize("file_id", ["0", "99999999999999999999999999"])
def test_an_unknown_id_is_404(client, file_id):
    for response in (client.delete(f"/delete/{file_id}"), client.get(f"/download/{file_id}")):
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("tag", ['"v1"', "hash", "*", '"other", "v1"'])
def test_a_matching_version_deletes(client, tag):
    file = make_file()
    tag = file.etag if tag == "hash" else tag
    assert client.delete(f"/delete/{file.pk}", headers={"If-Match": tag}).status_code == 204


@pytest.mark.parametrize("tag", ['"v2"', '"nonsense"', 'W/"v1"', "nonsense"])
def test_a_stale_version_is_412(client, tag):
    file = make_file()
    response = client.delete(f"/delete/{file.pk}", headers={"If-Match": tag})
    assert response.status_code == 412
    assert response.json()["code"] == "version_mismatch"
    assert File.objects.exists()
