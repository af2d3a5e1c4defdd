from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from files.models.fields import BytewiseCharField

# Bytes in one chunk row, at most: one SQL parameter, one packet, one read.
MAX_CHUNK_SIZE = 1 << 20


class ContentQuerySet(models.QuerySet["Content"]):
    def abandoned(self) -> ContentQuerySet:
        """Return what no file owns any more, or never came to own, past its time.

        What an upload has waits for that upload, however long its client takes.
        """
        return self.filter(
            state__in=(Content.State.RECEIVING, Content.State.RELEASED),
            keep_until__lt=timezone.now(),
            files__isnull=True,
            uploads__isnull=True,
        )

    def release(self, *, until: datetime) -> int:
        """Give the contents up: `sweep` removes them after `until`; how many there were."""
        return self.update(state=Content.State.RELEASED, keep_until=until)


class Content(models.Model):
    """Bytes too long for a file's row, in their own home and life.

    Made before any `File` points to it (RECEIVING), owned by one (STORED), and
    given up (RELEASED) when the file is deleted or its bytes moved to another home.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving"
        STORED = "stored"
        RELEASED = "released"

    class Home(models.TextChoices):
        DATABASE = "database"

    # An upload that sends nothing for so long is taken for dead.
    RECEIVING_TIME: ClassVar = timedelta(hours=1)
    # A running download renews this every third of it, at the next chunk; a client of
    # 1 KiB/s (slower ones are cut off) takes 17 minutes for one.
    GRACE_TIME: ClassVar = timedelta(hours=1)

    size = models.BigIntegerField(default=0)  # bytes
    home = BytewiseCharField(max_length=16, ascii_only=True, choices=Home, default=Home.DATABASE)
    # Where an object store keeps it; empty in the database.
    key = BytewiseCharField(max_length=255, ascii_only=True, blank=True, default="")
    state = BytewiseCharField(
        max_length=16, ascii_only=True, choices=State, default=State.RECEIVING
    )
    # `sweep` leaves it alone until then; null while a file owns it.
    keep_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Of this instance, which is one download's: when it renews its lease next, in
    # monotonic seconds. No column.
    renew_at: float | None = None

    objects = ContentQuerySet.as_manager()

    class Meta:
        db_table = "content"
        # Read by `sweep`.
        indexes = [models.Index(fields=["state", "keep_until"], name="content_abandoned")]

    def __str__(self) -> str:
        return f"content {self.pk} ({self.size} bytes, {self.state})"

    @classmethod
    def grace_end(cls) -> datetime:
        """Return until when bytes that nothing owns from now on stay readable."""
        return timezone.now() + cls.GRACE_TIME


class Chunk(models.Model):
    """A slice of a content's bytes; ranges are found by (content, offset)."""

    content = models.ForeignKey(
        Content, on_delete=models.CASCADE, related_name="chunks", db_index=False
    )
    offset = models.BigIntegerField()  # of its first byte
    size = models.IntegerField()  # bytes, 1 to MAX_CHUNK_SIZE
    checksum = models.BigIntegerField()  # CRC-32 of `data`, checked at each read
    data = models.BinaryField()

    class Meta:
        db_table = "chunk"
        constraints = [
            models.UniqueConstraint(fields=["content", "offset"], name="chunk_content_offset")
        ]

    def __str__(self) -> str:
        return f"bytes {self.offset} to {self.offset + self.size} of content {self.content_id}"
