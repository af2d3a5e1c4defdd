from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from files.api.serializers.text import TextField
from files.models import File, names_by_file


class FileSerializer(serializers.ModelSerializer[File]):
    """File JSON: what a client is told of a file; never its content."""

    labels = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Names, in order."
    )
    download_url = serializers.URLField(read_only=True, help_text="Where its bytes are.")

    class Meta:
        model = File
        fields = (
            "id",
            "name",
            "folder",
            "suffix",
            "size",
            "upload_date",
            "mime_type",
            "hash",
            "labels",
            "download_url",
        )
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "The number by which all routes know the file."},
            "folder": {"help_text": 'Where it is shown: parts joined by "/"; empty for none.'},
            "suffix": {"help_text": "What stands behind the name's last dot, in lower case."},
            "size": {"help_text": "Bytes."},
            "upload_date": {"help_text": "When the bytes came, in UTC."},
            "mime_type": {"help_text": "Read from the bytes, not believed from the client."},
            "hash": {"help_text": "The bytes' SHA-256 in hexadecimal."},
        }

    def to_representation(self, instance: File) -> dict[str, Any]:
        """Return the fields of one file; one query."""
        return next(self.represent([instance]))

    def represent(
        self, files: Collection[File], labels: Mapping[int, list[str]] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the fields of each file, with one query for the labels of them all.

        None where the caller gives the labels, by the files' ids. A list of a million
        passes here: the generic way asks each field for each row and takes ten times as
        long.
        """
        labels = names_by_file(files) if labels is None else labels
        for file in files:
            yield {
                "id": file.id,
                "name": file.name,
                "folder": file.folder,
                "suffix": file.suffix,
                "size": file.size,
                "upload_date": file.upload_date.isoformat().replace("+00:00", "Z"),
                "mime_type": file.mime_type,
                "hash": file.hash,
                "labels": labels.get(file.id, []),
                "download_url": self._download_url(file.id),
            }

    def _download_url(self, file_id: int) -> str:
        if not hasattr(self, "_url_head"):
            request = self.context["request"]
            url = request.build_absolute_uri(reverse("files:download", args=[0]))
            self._url_head: str = url.removesuffix("0")
        return f"{self._url_head}{file_id}"


class FilePageSerializer(serializers.Serializer[Any]):
    """One page of a list of files."""

    next = serializers.URLField(
        allow_null=True, help_text="Where the page after it is; null at the end."
    )
    previous = serializers.URLField(
        allow_null=True, help_text="Where the page before it is; null at the start."
    )
    results = FileSerializer(many=True)


class FilePatchSerializer(serializers.Serializer[File]):
    """What can be changed of a file; what is left out stays as it is."""

    name = TextField(required=False, help_text="At most 255 characters; never a path.")
    folder = TextField(
        required=False, allow_blank=True, help_text='Parts joined by "/"; empty for none.'
    )
    labels = serializers.ListField(
        child=TextField(),
        required=False,
        max_length=100,
        help_text="The names of all labels that the file shall have.",
    )
