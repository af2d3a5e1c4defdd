from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, cast

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from files.actors import Actor
from files.models.content import Content
from files.models.fields import BytewiseCharField
from files.models.index_order import first_rows
from files.models.label import Label
from files.models.space import Space

# Bytes up to this stay in the file's row; see docs/architecture.md, "Small files".
INLINE_SIZE = 2048


# Orders of a list, and what breaks their ties; `id` comes last in all of them.
ORDERINGS = {
    "upload_date": ("upload_date", "id"),
    "name": ("name", "upload_date", "id"),
    "size": ("size", "upload_date", "id"),
    "suffix": ("suffix", "upload_date", "id"),
}


# Columns that lists show.
LISTED = ("id", "name", "folder", "suffix", "size", "upload_date", "mime_type", "hash")


class FileQuerySet(models.QuerySet["File"]):
    def visible_to(self, actor: Actor) -> FileQuerySet:
        """Return the files that `actor` may know of; the only gate for reads."""
        return self.in_spaces_of(actor).filter(deleted_at=None)

    def trash_of(self, actor: Actor) -> FileQuerySet:
        """Return the deleted files that `actor` may know of, and bring back."""
        return self.in_spaces_of(actor).exclude(deleted_at=None)

    def in_spaces_of(self, actor: Actor) -> FileQuerySet:
        """Return the files of the actor's spaces, in the trash or not."""
        if len(actor.spaces) == 1:
            # As an equality, so that the indexes also give the order.
            return self.in_space(min(actor.spaces))
        return self.filter(space_id__in=actor.spaces)

    def in_space(self, space_id: int) -> FileQuerySet:
        """Return the files of one space."""
        return self.filter(space_id=space_id)

    def without_bytes(self) -> FileQuerySet:
        """Return the files with their content left in the database until asked for."""
        return self.defer("data")

    def as_rows(self) -> FileQuerySet:
        """Return the files as named tuples of what lists show, in half the time."""
        # Typed as what it stands for: `page` needs no more of a file than its columns.
        return cast(FileQuerySet, self.values_list(*LISTED, named=True))

    def page(
        self, ordering: str, limit: int, after: File | None = None, *, reverse: bool = False
    ) -> list[File]:
        """Return up to `limit` files in `ordering` (a key of ORDERINGS, "-" for
        descending) that come after the file `after`; before it, nearest first, with
        `reverse`. Page 10,000 costs what page 1 costs.

        One query a column of the order at most: what equals `after` in all columns but
        the last, then in all but the last two … A single query with OR would make each
        page step over all equal entries of the index again.
        """
        columns = ORDERINGS[ordering.removeprefix("-")]
        descending = ordering.startswith("-") is not reverse
        ordered = self.order_by(*(f"-{name}" if descending else name for name in columns))
        if after is None:
            return list(first_rows(ordered, limit))
        found: list[File] = []
        for depth in reversed(range(len(columns))):
            if len(found) < limit:
                equal = {name: getattr(after, name) for name in columns[:depth]}
                beyond = f"{columns[depth]}__{'lt' if descending else 'gt'}"
                rest = ordered.filter(**equal, **{beyond: getattr(after, columns[depth])})
                found += first_rows(rest, limit - len(found))
        return found


_FileManager = models.Manager.from_queryset(FileQuerySet)


class LiveFileManager(_FileManager["File"]):
    """Never shows what is in the trash, and never reads content on its own."""

    def get_queryset(self) -> FileQuerySet:
        return FileQuerySet(self.model, using=self._db).filter(deleted_at=None).without_bytes()


class File(models.Model):
    """One file: what is listed, and the owner of its bytes.

    The bytes are in `data` (up to INLINE_SIZE) or in `content`; never in both.
    """

    # At most 255 characters, NFC, no directory: see files.names.
    name = BytewiseCharField(max_length=255)
    suffix = BytewiseCharField(max_length=32, blank=True, default="")
    # Display text, parts joined by "/"; never a path.
    folder = BytewiseCharField(max_length=500, blank=True, default="")
    size = models.BigIntegerField()  # bytes
    upload_date = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)  # in the trash since
    mime_type = BytewiseCharField(max_length=127, ascii_only=True)
    hash = BytewiseCharField(max_length=64, ascii_only=True)  # SHA-256, hexadecimal
    version = models.PositiveIntegerField(default=1)  # raised by every change
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="files", db_index=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="files",
        db_index=False,
    )
    labels = models.ManyToManyField(Label, related_name="files", db_table="file_labels", blank=True)
    # Null when the bytes are in `data`.
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, null=True, blank=True, related_name="files"
    )
    # Last, so that reading the other columns need not step over it.
    data = models.BinaryField(null=True, blank=True)

    objects: ClassVar[LiveFileManager] = LiveFileManager()
    everything: ClassVar[models.Manager[File]] = FileQuerySet.as_manager()

    class Meta:
        db_table = "file"
        default_manager_name = "objects"
        base_manager_name = "everything"
        ordering = ["-upload_date", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["space", "hash"], name="file_space_hash"),
            models.CheckConstraint(
                name="file_bytes_in_one_place",
                condition=models.Q(data=None, content__isnull=False)
                | models.Q(data__isnull=False, content=None),
            ),
        ]
        # Each begins with what every list fixes (space, not in the trash), goes on with
        # the column that is searched or ordered by, and ends with the order of the list.
        indexes = [
            # With what is filtered most in this order, so that those it passes over are
            # told from the index alone.
            models.Index(
                fields=["space", "deleted_at", "upload_date", "id", "size", "name"],
                name="file_by_upload_date",
            ),
            *(
                models.Index(
                    fields=["space", "deleted_at", *columns.split(), "upload_date", "id"],
                    name=f"file_by_{columns.replace(' ', '_')}",
                )
                for columns in (
                    "name",
                    "size",
                    "suffix",
                    "suffix name",
                    "suffix size",
                    "folder",
                    "mime_type",
                    "owner",
                )
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("files:detail", args=[self.pk])

    @property
    def etag(self) -> str:
        """Return the entity tag of the file's bytes, quoted as HTTP wants it."""
        return f'"{self.hash}"'

    @property
    def home(self) -> str:
        """Return where the bytes are kept; reads the content's row where there is one."""
        return self.content.home if self.content else Content.Home.DATABASE

    @property
    def version_etag(self) -> str:
        """Return the entity tag of the file's row, raised by every change."""
        return f'"v{self.version}"'


def names_by_file(files: Collection[File]) -> dict[int, list[str]]:
    """Return the names of the labels of each file that has any, in order; one query."""
    found = File.labels.through._default_manager.filter(file_id__in=[file.id for file in files])
    names: dict[int, list[str]] = {}
    for file_id, name in found.values_list("file_id", "label__name"):
        names.setdefault(file_id, []).append(name)
    return {file_id: sorted(some) for file_id, some in names.items()}
