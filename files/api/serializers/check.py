from __future__ import annotations

from typing import Any

from rest_framework import serializers

MAX_HASHES = 10_000


class CheckSerializer(serializers.Serializer[Any]):
    """Which of some files are there, asked by their SHA-256."""

    hashes = serializers.ListField(
        child=serializers.RegexField(r"\A[0-9a-fA-F]{64}\Z"),
        max_length=MAX_HASHES,
        help_text="SHA-256 in hexadecimal.",
    )


class CheckedHashSerializer(serializers.Serializer[Any]):
    """What is known of one hash."""

    hash = serializers.CharField()
    state = serializers.ChoiceField(
        ["stored", "trashed", "absent"],
        help_text="`trashed`: uploading it brings the file back.",
    )
    id = serializers.IntegerField(allow_null=True, help_text="The file's, where it is stored.")


class CheckedSerializer(serializers.Serializer[Any]):
    """What is known of each hash."""

    results = CheckedHashSerializer(many=True)
