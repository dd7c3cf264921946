"""Fields of what comes in: strict types, bounded, unknown names refused, money as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from integration_hub.kernel.money import is_currency

AMOUNT = r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$"
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_AMOUNT = re.compile(AMOUNT.strip("^$"), re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class StrictSerializer(serializers.Serializer[Any]):
    """An object in which every unknown name is an error: a misspelt field must not vanish in silence."""

    def to_internal_value(self, data: Any) -> Any:
        strange = set(data) - set(self.fields) if isinstance(data, dict) else set()
        wrong = {name[:80]: [serializers.ErrorDetail(str(_("Unknown field.")), "unknown")] for name in sorted(strange)}
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(error.detail | wrong) from None  # type: ignore[operator]
        if wrong:
            raise serializers.ValidationError(wrong)
        return found


class TextField(serializers.CharField):
    """A text; a JSON number or truth value is refused, not turned into one."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_text": _("A text was expected.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("no_text")
        return super().to_internal_value(data)


class IdField(TextField):
    """An id or number; ``"0"`` means none in too many systems to be one."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_id": _("An id of 0 means none.")}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text == "0":
            self.fail("no_id")
        return text


class FlagField(serializers.BooleanField):
    """true or false, and no word or number for it."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_flag": _("true or false was expected.")}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("no_flag")
        return data


@extend_schema_field({"type": "string", "format": "decimal", "pattern": AMOUNT, "example": "11.90"})
class AmountField(serializers.Field[Decimal, str, str, Any]):
    """A decimal string; a JSON number is refused, since it may have been a float on its way."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "no_amount": _('An amount is a text like "11.90": at most 12 digits, a point, at most 4 digits.'),
        "negative": _("This may not be negative."),
        "no_rate": _('A rate is a fraction between 0 and 1, like "0.19" for 19 percent.'),
    }

    def __init__(self, *, floor: int | None = None, rate: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.floor, self.rate = floor, rate

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not _AMOUNT.fullmatch(data):
            self.fail("no_amount")
        value = Decimal(data)
        if self.rate and not 0 <= value <= 1:
            self.fail("no_rate")
        if self.floor is not None and value < self.floor:
            self.fail("negative")
        return value


@extend_schema_field({"type": "string", "format": "date-time", "example": "2026-11-20T10:00:00Z"})
class MomentField(serializers.Field[datetime, str, str, Any]):
    """ISO 8601 with an offset, of this century."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "no_moment": _("A time is ISO 8601 with an offset, like 2026-11-20T10:00:00Z, of this century.")
    }

    def to_internal_value(self, data: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(data)
            if moment.tzinfo is None or not EARLIEST <= moment.astimezone(UTC) < LATEST:
                self.fail("no_moment")
        except (TypeError, ValueError, OverflowError):
            self.fail("no_moment")
        return moment


class CurrencyField(TextField):
    """An ISO 4217 code in upper case."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_currency": _("This is no currency of ISO 4217.")}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if not is_currency(code):
            self.fail("no_currency")
        return code


class CountryField(TextField):
    """An ISO 3166-1 alpha-2 code in upper case, or empty."""

    default_error_messages: ClassVar[dict[str, Any]] = {"no_country": _("Two capital letters of ISO 3166-1, like DE.")}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if code and not _COUNTRY.fullmatch(code):
            self.fail("no_country")
        return code
