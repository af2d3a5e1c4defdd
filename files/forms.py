"""The forms of the pages, laid out by crispy-forms."""

from __future__ import annotations

from typing import Any

from crispy_forms.bootstrap import FieldWithButtons, StrictButton
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout
from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class UploadForm(forms.Form):
    """One file, sent as a form; only ever rendered.

    The body goes to `files.http.uploads`, never to Django's parser; the token must
    stand before the file in it, as crispy-forms has it.
    """

    file = forms.FileField(
        label=_("File"),
        # `required` on the field would add an asterisk to the only field there is.
        required=False,
        widget=forms.FileInput(attrs={"required": True}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_id = "upload-form"
        self.helper.form_action = reverse("files:add")
        self.helper.attrs = {"data-no-js": True}
        self.helper.layout = Layout(
            FieldWithButtons(
                "file",
                StrictButton(gettext("Upload"), type="submit", css_class="btn-primary"),
                css_class="lone-field",
            ),
        )


class SearchForm(forms.Form):
    """Search for a part of the name, within what the list shows."""

    q = forms.CharField(label=_("Search"), required=False, max_length=255)
    suffix = forms.CharField(required=False, widget=forms.HiddenInput)
    ordering = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget = forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": _("Part of the name"),
                "aria-label": _("Search"),
            }
        )
        for name in ("suffix", "ordering"):
            if name not in self.data:
                del self.fields[name]
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.form_action = reverse("files:list")
        self.helper.attrs = {"role": "search"}
        self.helper.form_show_labels = False
        self.helper.layout = Layout(
            FieldWithButtons(
                "q",
                StrictButton(
                    format_html(
                        '<i class="bi bi-search" aria-hidden="true"></i>'
                        '<span class="visually-hidden">{}</span>',
                        gettext("Search"),
                    ),
                    type="submit",
                    css_class="btn-outline-secondary",
                ),
                css_class="lone-field",
            ),
            *(Field(name) for name in ("suffix", "ordering") if name in self.fields),
        )
