from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.utils.translation import gettext_lazy as _

from files.actors import Actor
from files.exceptions import (
    FilesError,
    InvalidFieldsError,
    InvalidNameError,
    VersionMismatchError,
)
from files.http.sentences import sentence_of
from files.models import File, Label
from files.names import MAX_FOLDER_LENGTH, MAX_NAME_LENGTH
from files.services.editing import edit_file


class FileForm(forms.Form):
    """What operators may change of a file, and the version that they saw."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME_LENGTH, widget=AdminTextInputWidget)
    folder = forms.CharField(
        label=_("Folder"),
        max_length=MAX_FOLDER_LENGTH,
        required=False,
        help_text=_("Parts joined by “/”. Where the file is shown, not where it is stored."),
        widget=AdminTextInputWidget,
    )
    labels = forms.MultipleChoiceField(
        label=_("Labels"), required=False, widget=forms.CheckboxSelectMultiple
    )
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, file: File, data: Any = None) -> None:
        names = [label.name for label in file.labels.all()]
        seen = {
            "name": file.name,
            "folder": file.folder,
            "labels": names,
            "version": file.version,
        }
        super().__init__(data, initial=seen)
        known = Label.objects.in_space(file.space_id).values_list("name", flat=True)
        choices = self.fields["labels"]
        assert isinstance(choices, forms.MultipleChoiceField)  # noqa: S101  # for the type checker
        choices.choices = [(name, name) for name in known]

    def save(self, actor: Actor, file_id: int) -> File | None:
        """Change the file; None where that was refused: the form then says why."""
        values = self.cleaned_data
        try:
            return edit_file(
                actor=actor,
                file_id=file_id,
                is_known=lambda file: file.version == values["version"],
                name=values["name"],
                folder=values["folder"],
                labels=values["labels"],
            )
        except VersionMismatchError:
            self.add_error(
                None,
                _("Somebody changed this file meanwhile. Nothing was saved: open it again to see."),
            )
        except FilesError as error:
            self.add_error(_field_of(error), sentence_of(error))
        return None


def _field_of(error: FilesError) -> str | None:
    if isinstance(error, InvalidNameError):
        return "name"
    if isinstance(error, InvalidFieldsError):
        return "labels"
    return None
