from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client


@pytest.fixture
def staff() -> Callable[..., Client]:
    """Return what makes a client of a staff user with these permissions, as "view_file"."""

    def staff(*codenames: str) -> Client:
        user = get_user_model().objects.create_user("operator", is_staff=True)
        found = Permission.objects.filter(content_type__app_label="files", codename__in=codenames)
        assert len(found) == len(codenames)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return staff
