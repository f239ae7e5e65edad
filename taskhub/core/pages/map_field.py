"""A form field that holds a JSON object as text."""

from typing import Any

from django import forms

from taskhub.core.errors import TaskhubError
from taskhub.core.guards import json as json_guard

MAPS_BYTES = 256 * 1024


class MapField(forms.CharField):
    """A JSON object as text; blank is the empty object. A key given twice is refused."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text.strip():
            return {}
        try:
            found = json_guard.parse(text.encode("utf-8", "surrogatepass"), limit=MAPS_BYTES)
        except TaskhubError as exc:
            # What begins with a key of theirs is left as they wrote it.
            raise forms.ValidationError(str(exc).removeprefix("body: ")) from exc
        if not isinstance(found, dict):
            raise forms.ValidationError('Expected a JSON object such as {"name": "value"}.')
        return found
