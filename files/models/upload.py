from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from files.actors import Actor
from files.models.content import Content
from files.models.fields import BytewiseCharField
from files.models.space import Space


def new_id() -> str:
    """Return 32 hexadecimal digits that nobody guesses."""
    return secrets.token_hex(16)


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, actor: Actor) -> UploadQuerySet:
        """Return the uploads that `actor` may know of: his own, or of strangers as he is one."""
        return self.filter(space_id__in=actor.spaces, owner_id=actor.user_id)

    def unfinished(self) -> UploadQuerySet:
        """Return those that still take bytes, expired or not."""
        return self.filter(state=Upload.State.RECEIVING)

    def expired(self) -> UploadQuerySet:
        """Return those whose time is over, whatever became of them."""
        return self.filter(expires_at__lt=timezone.now())

    def promised(self) -> int:
        """Return how many bytes are still to come, of those that got some lately.

        Nobody keeps room from others by doing nothing.
        """
        lately = timezone.now() - Content.RECEIVING_TIME
        coming = self.unfinished().filter(updated_at__gt=lately, offset__gt=0, size__isnull=False)
        found = coming.aggregate(bytes=models.Sum(models.F("size") - models.F("offset")))
        return int(found["bytes"] or 0)

    def discard(self, *, until: datetime | None = None) -> int:
        """Remove these uploads and give up what they wrote; within a transaction. How many.

        A file that was made of one stays. `until` is for bytes that somebody may be reading.
        """
        # Locked and looked at again: a request may have brought more meanwhile.
        found = dict(self.select_for_update().order_by("pk").values_list("pk", "content_id"))
        self.model._default_manager.filter(pk__in=found).delete()
        contents = {content_id for content_id in found.values() if content_id}
        given_up = Content.objects.filter(pk__in=contents, state=Content.State.RECEIVING)
        given_up.release(until=until or timezone.now())
        return len(found)

    def without_bytes(self) -> UploadQuerySet:
        """Return the uploads with what lists don't show left in the database."""
        return self.defer("data", "hash_state", "metadata", "concat")


class Upload(models.Model):
    """A file that comes in pieces, perhaps over days and through several processes.

    Its bytes are in `data` (up to INLINE_SIZE) or already in the chunk rows of `content`, which
    the file takes over when it is whole. What is in `content` behind `offset` counts for nothing.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving"
        STORED = "stored"
        DUPLICATE = "duplicate"  # the bytes were there already

    # What became of a finished upload is told for so long.
    REMEMBERED_TIME: ClassVar = timedelta(days=1)

    id = BytewiseCharField(primary_key=True, max_length=32, ascii_only=True, default=new_id)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, db_index=False)
    # Null: a stranger's, where strangers may upload.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, db_index=False
    )
    name = BytewiseCharField(max_length=255)  # clean, as File.name
    folder = BytewiseCharField(max_length=500, blank=True, default="")
    metadata = models.TextField(blank=True, default="")  # Upload-Metadata as it came
    # Upload-Concat as it came: "partial", or "final;" and the addresses of its parts.
    concat = models.TextField(blank=True, default="")
    size = models.BigIntegerField(null=True, blank=True)  # bytes; null: not known yet
    offset = models.BigIntegerField(default=0)  # bytes that arrived and are kept
    state = BytewiseCharField(
        max_length=16, ascii_only=True, choices=State, default=State.RECEIVING
    )
    # The file that it became, or that has the same bytes; outlives that file.
    file_id = models.BigIntegerField(null=True, blank=True)
    # Null before the bytes are too many for `data`, and when it is finished.
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, null=True, blank=True, related_name="uploads"
    )
    data = models.BinaryField(default=b"", blank=True)
    # The running SHA-256 of the first `offset` bytes (files.sha256), empty where it can't be kept.
    hash_state = models.BinaryField(default=b"", blank=True)
    digest = models.BinaryField(default=b"", blank=True)  # SHA-256 as announced
    # The request that may write, by a random word; each new one takes it over.
    writer = BytewiseCharField(max_length=32, ascii_only=True, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)  # when the last bytes were kept
    expires_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    class Meta:
        db_table = "upload"
        indexes = [
            # Read by `sweep`.
            models.Index(fields=["expires_at"], name="upload_expired"),
            # Covers the sum of what is still to come, and lists by the last bytes.
            models.Index(
                fields=["state", "updated_at", "id", "size", "offset"], name="upload_promised"
            ),
            # Somebody's unfinished ones are counted before he begins another.
            models.Index(fields=["owner", "state"], name="upload_of_owner"),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def next_expiry() -> datetime:
        """Return until when an upload is kept that gets bytes now."""
        return timezone.now() + timedelta(days=settings.FILESERVER_UPLOAD_DAYS)

    @property
    def is_partial(self) -> bool:
        """Tell whether it is a part of another upload, and never a file."""
        return self.concat == "partial"

    @property
    def is_final(self) -> bool:
        """Tell whether it is put together of others, and takes no bytes of its own."""
        return self.concat.startswith("final;")

    @property
    def part_ids(self) -> list[str]:
        """Return the ids of the uploads that a final one is put together of, in order."""
        urls = self.concat.partition(";")[2].split()
        return [url.rstrip("/").rpartition("/")[2] for url in urls]

    @property
    def is_receiving(self) -> bool:
        """Tell whether it is not finished."""
        return self.state == self.State.RECEIVING

    @property
    def is_whole(self) -> bool:
        """Tell whether all bytes are here."""
        return self.offset == self.size
