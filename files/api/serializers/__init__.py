from files.api.serializers.archive import ArchiveSerializer
from files.api.serializers.check import CheckSerializer
from files.api.serializers.file import FilePatchSerializer, FileSerializer
from files.api.serializers.label import LabelSerializer
from files.api.serializers.stats import StatsSerializer

__all__ = [
    "ArchiveSerializer",
    "CheckSerializer",
    "FilePatchSerializer",
    "FileSerializer",
    "LabelSerializer",
    "StatsSerializer",
]
