from __future__ import annotations

from datetime import datetime

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from files.models import File, Upload

register = template.Library()

# Suffixes that Bootstrap Icons draws, and those that may borrow a drawing.
_DRAWN = frozenset(
    """
    aac ai bmp cs css csv doc docx exe gif heic html java jpg js json jsx key m4p md mdx
    mov mp3 mp4 otf pdf php png ppt pptx psd py raw rb sass scss sh sql svg tiff tsx ttf
    txt wav woff xls xlsx xml yml
    """.split()  # noqa: SIM905  # a name a line would take fifty
)
_SAME = {"htm": "html", "jpeg": "jpg", "tif": "tiff", "woff2": "woff", "yaml": "yml"}
_BY_TYPE = {
    "audio": "bi-file-earmark-music",
    "font": "bi-file-earmark-font",
    "image": "bi-file-earmark-image",
    "text": "bi-file-earmark-text",
    "video": "bi-file-earmark-play",
}
_ARCHIVE_SUFFIXES = frozenset({"7z", "bz2", "gz", "jar", "rar", "tar", "tgz", "xz", "zip", "zst"})


@register.filter
def icon(file: File) -> str:
    """Return the Bootstrap Icons class that stands for the file's kind."""
    suffix = _SAME.get(file.suffix, file.suffix)
    if suffix in _DRAWN:
        return f"bi-filetype-{suffix}"
    if suffix in _ARCHIVE_SUFFIXES:
        return "bi-file-earmark-zip"
    return _BY_TYPE.get(file.mime_type.partition("/")[0], "bi-file-earmark")


@register.filter
def group_title(suffix: str) -> str:
    """Return what a group of files with this suffix is called."""
    return suffix.upper() or gettext("no suffix")


@register.filter
def number(value: int) -> str:
    """Return a whole number with its digits grouped as the language does."""
    return number_format(value, force_grouping=True)


@register.filter
def progress_in_words(upload: Upload) -> str:
    """Return how many bytes of the upload are here, of how many."""
    received = filesizeformat(upload.offset)
    if upload.size is None:
        return gettext("%(received)s of an unknown size") % {"received": received}
    words = {"received": received, "size": filesizeformat(upload.size)}
    return gettext("%(received)s of %(size)s") % words


@register.filter
def moment(value: datetime) -> SafeString:
    """Return a <time> with date, time and zone; times.js makes it the reader's own."""
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}">{} {}</time>',
        # HTML allows three digits of a second, not six.
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        local.tzname(),
    )
