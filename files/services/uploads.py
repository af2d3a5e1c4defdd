"""Takes a file in: begin, append as often as there are bytes, then commit or abort.

Every door (form, AJAX, raw PUT, commands) comes through here, so that limits,
names, types, duplicates and events are the same at all of them. Memory: a file up
to INLINE_SIZE is held whole, a longer one goes on to its storage.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection
from django.utils import timezone

from files.actors import Actor
from files.exceptions import (
    AuthenticationRequiredError,
    BodyCutShortError,
    DigestMismatchError,
    DuplicateFileError,
    FilesError,
    FileTooLargeError,
    StorageBusyError,
    gettext_noop,
)
from files.mime import HEAD_SIZE, sniff
from files.models import INLINE_SIZE, Content, File, Upload, insert
from files.names import clean_folder, clean_name, suffix_of
from files.permissions import require_write
from files.services import commits, deletion, events, totals
from files.sha256 import Sha256
from files.storage import (
    ContentWriter,
    in_transaction,
    release_connection,
    require_room,
    room,
    storage_of,
    told_in_words,
)

logger = logging.getLogger(__name__)

# Bytes; files up to this share their commit with others, who need not wait long for it.
SHARED_SIZE = 1 << 20


@dataclass(slots=True, eq=False)
class IncomingFile:
    """A file while it comes in; made by `begin`, seen by nobody else."""

    actor: Actor
    space_id: int
    name: str
    folder: str
    size: int | None  # bytes, as announced
    digest: bytes | None  # SHA-256, as announced
    upload_date: datetime | None = None  # None: when it is complete
    received: int = 0  # bytes
    head: bytes = b""
    small: bytes = b""  # all of it, until it is too long for the row
    writer: ContentWriter | None = None
    # Called inside the transaction of each batch that is written.
    on_batch: Callable[[ContentWriter], None] | None = None

    @property
    def hash(self) -> str:
        """Return the SHA-256, hexadecimal; of all bytes once the writer is sealed."""
        if self.writer is None:
            return hashlib.sha256(self.small).hexdigest()
        return self.writer.hasher.hexdigest() if self.writer.hasher else ""


def begin(
    *,
    actor: Actor,
    space_id: int,
    name: str,
    folder: str = "",
    size: int | None = None,
    at_least: int = 0,
    digest: bytes | None = None,
    upload_date: datetime | None = None,
) -> IncomingFile:
    """Refuse what can be refused before any byte is read, else start taking it in.

    `size` in bytes and `digest` (32 bytes of SHA-256) are what the client announced,
    None where it did not; `at_least` is what a form's length tells of the file's, and
    `upload_date` is for files that were uploaded before, elsewhere. One query with a
    digest, else none.
    """
    # First who may not is told so, whatever he calls the file.
    check_early(actor=actor, space_id=space_id, at_least=size or at_least, digest=digest)
    name, folder = clean_name(name), clean_folder(folder)
    return IncomingFile(actor, space_id, name, folder, size, digest, upload_date)


def check_early(*, actor: Actor, space_id: int, at_least: int, digest: bytes | None) -> None:
    """Refuse what can be refused while not even the name is known."""
    require_write(actor, space_id)
    check_size(at_least)
    _require_room(at_least)
    if digest is not None and (existing := _existing(space_id, digest.hex())):
        raise _duplicate(space_id, existing)
    # The client may take as long as it likes now.
    release_connection()


def append(incoming: IncomingFile, data: bytes) -> None:
    """Take the next bytes; may commit a batch of chunks that nobody sees yet."""
    check_size(incoming.received + len(data))
    with told_in_words():
        if incoming.writer is not None:
            incoming.writer.append(data)
        elif incoming.received + len(data) <= INLINE_SIZE:
            incoming.small += data
        else:
            incoming.writer = storage_of(Content.Home.DATABASE).open_writer(
                hasher=Sha256(), on_batch=incoming.on_batch
            )
            incoming.writer.append(incoming.small + data if incoming.small else data)
            incoming.small = b""
    # Only what was taken counts: who goes on after an error asks how much that is. One that
    # began in the middle has no head.
    if len(incoming.head) == incoming.received < HEAD_SIZE:
        incoming.head += data[: HEAD_SIZE - len(incoming.head)]
    incoming.received += len(data)


def commit(incoming: IncomingFile, *, also: Callable[[File], None] | None = None) -> File:
    """Make the file visible: last bytes, row, totals and event in one transaction.

    Raises DuplicateFileError when the same bytes are in the space, whoever of many
    came first: the unique constraint decides. A file in the trash with the same bytes
    comes back as this one, with its id and labels. `also` is called with the file at the
    end of the transaction, and again where that is run again.
    """
    if incoming.writer is not None:
        incoming.writer.seal()
    _check_complete(incoming)
    if incoming.writer is None:
        require_room(incoming.received)
    file = _file_of(incoming)
    try:
        if incoming.received <= SHARED_SIZE:
            with told_in_words():
                commits.share(lambda: _write(incoming, file, also))
        else:
            in_transaction(_write)(incoming, file, also)
    except IntegrityError as error:
        if existing := _existing(incoming.space_id, file.hash):
            raise _duplicate(incoming.space_id, existing) from error
        if "file_space_hash" not in str(error) and "file.hash" not in str(error):
            raise
        raise StorageBusyError(
            gettext_noop("The same file was being deleted at this moment; please try again.")
        ) from error
    incoming.writer = None
    return file


def _file_of(incoming: IncomingFile) -> File:
    return File(
        space_id=incoming.space_id,
        name=incoming.name,
        suffix=suffix_of(incoming.name),
        folder=incoming.folder,
        upload_date=incoming.upload_date or timezone.now(),
        size=incoming.received,
        mime_type=sniff(incoming.head, incoming.name),
        hash=incoming.hash,
        owner_id=incoming.actor.user_id,
        data=incoming.small if incoming.writer is None else None,
    )


def abort(incoming: IncomingFile) -> None:
    """Give up what was written; nothing to do after `commit`, or a second time.

    `sweep` removes it; it would also do so, later, if this were never called.
    """
    writer, incoming.writer = incoming.writer, None
    incoming.small = b""
    if writer is not None:
        with told_in_words():
            writer.discard()


def check_size(size: int) -> None:
    """Raise FileTooLargeError where a file of so many bytes is not taken."""
    limit = settings.FILESERVER_MAX_UPLOAD_SIZE
    if limit is not None and size > limit:
        raise FileTooLargeError(
            gettext_noop("The file has %(size)s bytes or more; the limit is %(limit)s."),
            size=f"{size:,}",
            limit=f"{limit:,}",
        )


def _require_room(size: int) -> None:
    """Raise StorageFullError unless there is room beside what unfinished uploads will bring."""
    if size > SHARED_SIZE and room() is not None:
        size += Upload.objects.promised()
    require_room(size)


def _check_complete(incoming: IncomingFile) -> None:
    written = len(incoming.small) if incoming.writer is None else incoming.writer.size
    if written != incoming.received:
        raise StorageBusyError(
            gettext_noop("Not all that came could be written; please send it again.")
        )
    if incoming.size is not None and incoming.received != incoming.size:
        raise BodyCutShortError(
            gettext_noop("%(announced)s bytes were announced and %(received)s came."),
            announced=f"{incoming.size:,}",
            received=f"{incoming.received:,}",
        )
    if incoming.digest is not None and incoming.hash != incoming.digest.hex():
        raise DigestMismatchError(
            gettext_noop(
                "The bytes that came have the SHA-256 %(received)s, announced was %(announced)s."
            ),
            received=incoming.hash,
            announced=incoming.digest.hex(),
        )


def _write(incoming: IncomingFile, file: File, also: Callable[[File], None] | None = None) -> None:
    _require_owner(file)
    if incoming.writer is not None:
        incoming.writer.flush()
        file.content = incoming.writer.content
    details = _save(file)
    events.record("file.uploaded", incoming.actor, file, **details)
    totals.add_file(file)
    if also is not None:
        also(file)


def _require_owner(file: File) -> None:
    """Raise unless the account that began the upload is still there.

    SQLite looks at foreign keys when it commits: all uploads of the commit would fail.
    """
    if file.owner_id and not get_user_model().objects.filter(pk=file.owner_id).exists():
        raise AuthenticationRequiredError(
            gettext_noop("The account that began this upload is there no more.")
        )


def _save(file: File) -> dict[str, object]:
    """Insert the row, or bring the one with the same bytes back from the trash.

    Returns what the event tells of it. The new bytes take the place of the old, which
    may be damaged: perhaps that is why they were deleted.
    """
    # Perhaps for the second time, where the first was rolled back.
    file.pk, file.version = None, 1
    trashed = _trashed(file) if _is_in_trash(file) else None
    if trashed is None:
        insert(file)
        return {}
    file.pk, file.version = trashed.pk, trashed.version + 1
    totals.add_home(trashed, -1)
    file.save(force_update=True)
    deletion.release_content(trashed.content_id)
    return {"restored": True}


def _is_in_trash(file: File) -> bool:
    """Tell whether the bytes are in the trash; asked at each upload, and seldom true.

    In plain SQL: making it of a queryset took a tenth of a small upload's time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM file WHERE space_id = %s AND hash = %s AND deleted_at IS NOT NULL",
            [file.space_id, file.hash],
        )
        return cursor.fetchone() is not None


def _trashed(file: File) -> File | None:
    """Return the file in the trash with these bytes, locked.

    Of several uploads of the same bytes the first finds it; the others wait and find none.
    """
    same = File.everything.filter(space_id=file.space_id, hash=file.hash)
    return same.exclude(deleted_at=None).without_bytes().select_for_update().first()


def _existing(space_id: int, hash: str) -> int | None:
    """Return the id of the file with these bytes; what is in the trash does not count."""
    ids = File.objects.filter(space_id=space_id, hash=hash).values_list("pk", flat=True)
    return ids.first()


def _duplicate(space_id: int, existing_id: int) -> DuplicateFileError:
    """Return the refusal, counted."""
    try:
        with told_in_words():
            totals.add(space_id=space_id, day=timezone.now().date(), count=0, size=0, duplicates=1)
    except FilesError:
        if connection.needs_rollback:
            # Of a caller's transaction, which wrote other files: they would be lost silently.
            raise
        # The client is told of the duplicate all the same.
        logger.warning("A refused duplicate could not be counted", exc_info=True)
    return DuplicateFileError(
        gettext_noop("The same bytes are stored already, as file %(existing_id)s."),
        existing_id=existing_id,
    )
