from files.api.serializers.check import CheckedSerializer, CheckSerializer
from files.api.serializers.file import FilePageSerializer, FilePatchSerializer, FileSerializer
from files.api.serializers.label import LabelListSerializer, LabelSerializer
from files.api.serializers.problem import ProblemSerializer
from files.api.serializers.stats import StatsSerializer, TypeListSerializer
from files.api.serializers.upload import UploadSerializer

__all__ = [
    "CheckSerializer",
    "CheckedSerializer",
    "FilePageSerializer",
    "FilePatchSerializer",
    "FileSerializer",
    "LabelListSerializer",
    "LabelSerializer",
    "ProblemSerializer",
    "StatsSerializer",
    "TypeListSerializer",
    "UploadSerializer",
]
