"""Query parameters: read by a serializer, strange ones refused."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from taskhub.core.errors import BadInput

from .fields import shown

# Read by others than the view.
_ALWAYS = frozenset({"format"})
_LARGEST = 2**63 - 1


class TextFilter(serializers.CharField):
    """A text to compare with; an empty one is the same as none."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 200)
        super().__init__(required=False, allow_blank=True, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if "\0" in text:
            raise serializers.ValidationError(f"expected a text without NUL, got {shown(text)}")
        if self.max_length is not None and len(text) > self.max_length:
            raise serializers.ValidationError(
                f"expected at most {self.max_length} characters, got {len(text)}"
            )
        return text


class WholeFilter(serializers.IntegerField):
    """A whole number of at most 64 bits."""

    def __init__(self, *, min_value: int = 0, max_value: int = _LARGEST, **options: Any) -> None:
        super().__init__(required=False, min_value=min_value, max_value=max_value, **options)
        self._range = range(min_value, max_value + 1)

    def to_internal_value(self, data: Any) -> int:
        number = None
        with suppress(serializers.ValidationError):
            number = super().to_internal_value(data)
        if number is None or number not in self._range:
            least, most = self._range[0], self._range[-1]
            until = "on" if most == _LARGEST else f"to {most}"
            raise serializers.ValidationError(
                f"expected a whole number from {least} {until}, got {shown(data)}"
            )
        return number


class SwitchFilter(serializers.ChoiceField):
    """`true` or `false`; the value is a bool."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=["true", "false"], required=False, **options)
        self.error_messages["invalid_choice"] = "expected true or false, got {input}"

    def to_internal_value(self, data: Any) -> Any:
        return bool(super().to_internal_value(str(data).lower()) == "true")


class TimeFilter(serializers.DateTimeField):
    """An ISO 8601 time; without a zone it is UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def to_internal_value(self, value: Any) -> datetime:
        # A plus sign that was not encoded arrives as a space.
        text = str(value).strip().replace(" ", "+") if "T" in str(value) else value
        try:
            return super().to_internal_value(text)
        except serializers.ValidationError as exc:
            said = f"expected a time like 2026-03-10T12:00:00Z, got {shown(value)}"
            raise serializers.ValidationError(said) from exc


class OneOf(serializers.ChoiceField):
    """One of a few words, without case."""

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        self.words = list(choices)
        super().__init__(choices=self.words, required=False, **options)
        self.error_messages["invalid_choice"] = f"expected one of {', '.join(self.words)}, got {{input}}"

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(str(data).lower()[:100]))


class Query(serializers.Serializer[Any]):
    """The query parameters an endpoint takes."""


def read(query: QueryDict, form: type[Query], *, also: Iterable[str] = ()) -> dict[str, Any]:
    """The values given, by name; parameters that were not given are not in it.

    Args:
        also: names that somebody else reads, as the paging does.

    Raises:
        BadInput: an unknown parameter, one given twice, or a value that does not fit.
    """
    reader = form(data={})
    names = [str(name) for name in reader.fields]
    known = set(names) | set(also) | _ALWAYS
    unknown = [name for name in query if name not in known]
    if unknown:
        expected = ", ".join(sorted(known - _ALWAYS)) or "none"
        raise BadInput(
            f"query: expected parameters {expected}, got {shown(unknown[0])}",
            fields={name[:100]: "unknown parameter" for name in unknown[:20]},
        )
    twice = [name for name in names if len(query.getlist(name)) > 1]
    if twice:
        raise BadInput(
            f"{twice[0]}: expected one value, got {len(query.getlist(twice[0]))}",
            fields=dict.fromkeys(twice, "given more than once"),
        )
    given = {name: query[name] for name in names if name in query}
    reader = form(data=given)
    reader.is_valid(raise_exception=True)
    return {name: value for name, value in reader.validated_data.items() if value != ""}
