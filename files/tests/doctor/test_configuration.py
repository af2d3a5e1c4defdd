from __future__ import annotations

import os
from ipaddress import ip_network

import pytest
from django.contrib.auth import get_user_model

from files.doctor import configuration
from files.doctor.findings import Finding, Status


def only(check) -> Finding:
    found: Finding
    (found,) = check()
    return found


def test_settings_are_looked_at(settings):
    assert {one.status for one in configuration.system_checks()} == {Status.OK}

    settings.ALLOWED_HOSTS = ["*"]
    found = [one for one in configuration.system_checks() if one.status is Status.PROBLEM]
    assert ["files.E002" in one.text for one in found] == [True]


@pytest.mark.django_db
def test_access(settings):
    settings.FILESERVER_ALLOW_OPEN = False
    assert only(configuration.access).status is Status.OK
    settings.FILESERVER_ALLOW_OPEN = True
    assert only(configuration.access).status is Status.WARNING
    settings.FILESERVER_ACCESS = "private"
    assert only(configuration.access).status is Status.PROBLEM
    get_user_model().objects.create_user("owner")
    assert only(configuration.access).status is Status.OK


def test_hosts(settings):
    settings.FILESERVER_ACCESS, settings.ALLOWED_HOSTS = "private", ["localhost"]
    assert only(configuration.hosts).status is Status.WARNING
    settings.ALLOWED_HOSTS = ["localhost", "files.example.org"]
    assert only(configuration.hosts).status is Status.OK


@pytest.mark.parametrize(
    ("network", "status"),
    [("10.0.0.0/8", Status.OK), ("192.0.2.7/32", Status.OK), ("0.0.0.0/0", Status.WARNING)]
    + [("::/0", Status.WARNING), ("2001:db8::1/128", Status.OK)],
)
def test_trusted_proxies(settings, network, status):
    settings.FILESERVER_TRUSTED_PROXIES = [ip_network(network)]

    assert only(configuration.proxies).status is status


def test_static_files(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    assert only(configuration.static_files).status is Status.PROBLEM

    settings.STATIC_ROOT.mkdir()
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    manifest.touch()
    assert only(configuration.static_files).status is Status.OK

    os.utime(manifest, (0, 0))
    assert only(configuration.static_files).status is Status.WARNING
