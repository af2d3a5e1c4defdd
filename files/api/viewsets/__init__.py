from files.api.viewsets.file import FileViewSet
from files.api.viewsets.label import LabelViewSet
from files.api.viewsets.stats import StatsViewSet
from files.api.viewsets.type import TypeViewSet
from files.api.viewsets.upload import UploadViewSet

__all__ = ["FileViewSet", "LabelViewSet", "StatsViewSet", "TypeViewSet", "UploadViewSet"]
