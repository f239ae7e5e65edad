"""Fields and serializers that take JSON as it is: a number is no text, "yes" no truth value.

Input that does not fit is refused with what was expected and what came; fields nobody asked for are
refused by name. Texts are never trimmed.
"""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

_WHOLE = range(-(2**63), 2**63)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _messages(kind: str, **further: str) -> dict[str, Any]:
    return {"required": f"expected {kind}, found none", "null": f"expected {kind}, got null", **further}


def shown(value: object) -> str:
    """A value of the input, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


class Text(serializers.CharField):
    """A text, neither trimmed nor made of a number."""

    default_error_messages = _messages(
        "a text",
        blank="expected a text that is not blank",
        max_length="expected at most {max_length} characters",
    )

    def __init__(self, **options: Any) -> None:
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"expected a text, got {shown(data)}")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number of at most 64 bits."""

    default_error_messages = _messages("a whole number")

    def to_internal_value(self, data: object) -> int:
        if isinstance(data, bool) or not isinstance(data, int) or data not in _WHOLE:
            raise serializers.ValidationError(f"expected a whole number{self._range()}, got {shown(data)}")
        least, most = self.min_value, self.max_value
        if (least is not None and data < least) or (most is not None and data > most):
            raise serializers.ValidationError(f"expected a whole number{self._range()}, got {shown(data)}")
        return data

    def _range(self) -> str:
        if self.min_value is None or self.max_value is None:
            return "" if self.min_value is None else f" from {self.min_value} on"
        return f" from {self.min_value} to {self.max_value}"


class Number(serializers.FloatField):
    """A finite number."""

    default_error_messages = _messages("a number")

    def to_internal_value(self, data: object) -> float:
        number = not isinstance(data, bool) and isinstance(data, int | float)
        if not number or not -1e300 < data < 1e300:  # type: ignore[operator] # a number by now
            raise serializers.ValidationError(f"expected a number, got {shown(data)}")
        return float(data)  # type: ignore[arg-type] # a number by now


class Switch(serializers.BooleanField):
    """true or false."""

    default_error_messages = _messages("true or false")

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"expected true or false, got {shown(data)}")
        return data


class JsonObject(serializers.DictField):
    """A JSON object; what it holds is the business of the code it is for."""

    default_error_messages = _messages("an object")

    def to_internal_value(self, data: object) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"expected an object, got {shown(data)}")
        return data


class TextMap(JsonObject):
    """A JSON object whose values are texts, under names that a process environment can hold."""

    child = serializers.CharField(trim_whitespace=False)

    def to_internal_value(self, data: object) -> dict[str, Any]:
        found = super().to_internal_value(data)
        for name, value in found.items():
            if not _VARIABLE.fullmatch(name) or not isinstance(value, str):
                raise serializers.ValidationError(
                    "expected names of letters, digits and _ with text values, "
                    f"got {shown(name)}: {shown(value)}"
                )
        return found


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know."""

    default_error_messages = _messages("an object", invalid="expected an object, got {datatype}")

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [name for name in data if name not in known]
            if unknown:
                expected = ", ".join(sorted(known)) or "no fields"
                raise serializers.ValidationError(
                    {str(name)[:100]: f"unknown field, expected {expected}" for name in unknown[:20]}
                )
        return super().to_internal_value(data)


class NoBody(StrictSerializer):
    """An empty object, or no body at all."""


class AnyJson(serializers.JSONField):
    """A value of any kind."""

    default_error_messages = _messages("a value")
