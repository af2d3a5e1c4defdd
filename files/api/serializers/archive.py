from __future__ import annotations

from typing import Any

from rest_framework import serializers

MAX_IDS = 100_000


class ArchiveSerializer(serializers.Serializer[Any]):
    """Which files an archive holds: these, or those that list filters find."""

    id = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        max_length=MAX_IDS,
        help_text="Ids of files; without any, the filters of the list decide.",
    )
