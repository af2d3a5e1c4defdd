from __future__ import annotations

from typing import Any

from rest_framework import serializers

from files.api.serializers.file import FileSerializer
from files.models import File, Upload


class UploadSerializer(serializers.Serializer[Upload]):
    """How far a resumable upload is, and what became of it."""

    id = serializers.CharField(help_text="32 hexadecimal digits, the end of its address.")
    state = serializers.ChoiceField(
        Upload.State.values,
        help_text=(
            "`receiving`: not finished, as partial uploads always are; `stored`: it is the file"
            " `file`; `duplicate`: the same bytes were there already, as `existing`."
        ),
    )
    name = serializers.CharField(help_text="`upload-` and the id where none was told.")
    size = serializers.IntegerField(allow_null=True, help_text="Bytes; null: not told yet.")
    offset = serializers.IntegerField(help_text="Bytes that are here.")
    expires_at = serializers.DateTimeField(
        help_text="Until when it can be gone on with, or looked at when it is finished; in UTC."
    )
    file = FileSerializer(allow_null=True, help_text="Null, too, where it was deleted since.")
    existing = FileSerializer(allow_null=True)

    def to_representation(self, instance: Upload) -> dict[str, Any]:
        """Return the fields of one upload; a query or two when it is finished."""
        file = self._file(instance)
        is_duplicate = instance.state == Upload.State.DUPLICATE
        return {
            "id": instance.pk,
            "state": str(instance.state),
            "name": instance.name,
            "size": instance.size,
            "offset": instance.offset,
            "expires_at": instance.expires_at.isoformat().replace("+00:00", "Z"),
            "file": None if is_duplicate else file,
            "existing": file if is_duplicate else None,
        }

    def _file(self, upload: Upload) -> dict[str, Any] | None:
        if upload.file_id is None:
            return None
        files = File.objects.visible_to(self.context["request"].actor)
        file = files.filter(pk=upload.file_id).first()
        return None if file is None else FileSerializer(file, context=self.context).data
