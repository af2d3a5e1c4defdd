from files.admin import site  # noqa: F401  # names it
from files.admin.content import ContentAdmin
from files.admin.event import EventAdmin
from files.admin.file import FileAdmin
from files.admin.label import LabelAdmin
from files.admin.space import SpaceAdmin
from files.admin.upload import UploadAdmin

__all__ = ["ContentAdmin", "EventAdmin", "FileAdmin", "LabelAdmin", "SpaceAdmin", "UploadAdmin"]
