from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from files.admin.listing import COUNTED, OperatorAdmin, digits
from files.admin.operators import operator_of
from files.exceptions import FilesError, InvalidNameError
from files.http.requests import ActorRequest
from files.http.sentences import sentence_of
from files.models import Label
from files.names import clean_label
from files.services import labels

if TYPE_CHECKING:
    LabelModelForm = forms.ModelForm[Label]
else:
    LabelModelForm = forms.ModelForm


class LabelForm(LabelModelForm):
    class Meta:
        model = Label
        fields = ("space", "name", "color")
        widgets = {"color": forms.TextInput(attrs={"type": "color"})}

    def clean_name(self) -> str:
        """Clean the name as the service does, so that a refusal stands at the field."""
        try:
            return clean_label(self.cleaned_data["name"])
        except InvalidNameError as error:
            raise ValidationError(sentence_of(error)) from error

    def clean_color(self) -> str:
        return str(self.cleaned_data["color"]).lower()


@admin.register(Label)
class LabelAdmin(OperatorAdmin):
    """The words for files; made, changed and removed by the service."""

    form = LabelForm
    list_display = ("swatch", "space", "created_at")
    list_select_related = ("space",)
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Label | None = None) -> list[str]:
        """Keep the space: the files that have the label are in it."""
        return ["space"] if obj else []

    def save_model(self, request: HttpRequest, obj: Label, form: Any, change: bool) -> None:
        actor = operator_of(cast(ActorRequest, request))
        if change:
            labels.change_label(actor=actor, label_id=obj.pk, name=obj.name, color=obj.color)
        else:
            made = labels.create_label(
                actor=actor, space_id=obj.space_id, name=obj.name, color=obj.color
            )
            obj.pk = made.pk

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Ask, then remove the label; tell why where that is refused."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except FilesError as error:
            messages.error(request, sentence_of(error))
            return redirect("admin:files_label_changelist")

    def delete_model(self, request: HttpRequest, obj: Label) -> None:
        labels.delete_label(actor=operator_of(cast(ActorRequest, request)), label_id=obj.pk)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Say how many files have the label; Django would load and list them all."""
        lines: list[Any] = []
        for label in objs:
            count = label.files.through.objects.filter(label=label)[: COUNTED + 1].count()
            words = ngettext("on %(count)s file", "on %(count)s files", count)
            shown = digits(min(count, COUNTED)) + ("+" if count > COUNTED else "")
            lines.append(format_html("{} {}", label.name, words % {"count": shown}))
        return lines, {str(self.opts.verbose_name_plural): len(lines)}, set(), []

    @admin.display(description=_("name"), ordering="name")
    def swatch(self, label: Label) -> SafeString:
        return format_html(
            '<svg class="swatch" width="12" height="12" aria-hidden="true">'
            '<rect width="12" height="12" rx="3" fill="{}"/></svg> <bdi>{}</bdi>',
            label.color,
            label.name,
        )
