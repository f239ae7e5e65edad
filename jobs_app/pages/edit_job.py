"""The form of a job's name and description."""

from django import forms


class EditJobForm(forms.Form):
    name = forms.CharField(
        max_length=200, widget=forms.TextInput(attrs={"class": "th-input", "autocomplete": "off"})
    )
    description = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"class": "th-textarea", "rows": 4})
    )
