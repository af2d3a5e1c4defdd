from __future__ import annotations

from typing import Any

from rest_framework import serializers

from files.api.serializers.file import FileSerializer


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused (RFC 9457)."""

    type = serializers.CharField(help_text="`about:blank`: `code` tells problems apart.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField(help_text="The status of the answer.")
    detail = serializers.CharField(help_text="What went wrong, for people.")
    code = serializers.CharField(help_text="What went wrong, for programs; stable.")
    request_id = serializers.CharField(
        help_text="Names the request in the server's log; also in `X-Request-ID`."
    )
    errors = serializers.DictField(  # type: ignore[assignment]  # a field, taken by the metaclass
        child=serializers.CharField(),
        required=False,
        help_text="What is wrong with which field or parameter.",
    )
    existing = FileSerializer(
        required=False, allow_null=True, help_text="With `duplicate`: the file that is there."
    )
