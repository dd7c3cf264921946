"""JSON bodies within bounds, read by the one codec of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected, TooLarge
from integration_hub.kernel.text import say

MAX_BYTES = 1024 * 1024


class BoundedJSONParser(BaseParser):
    """At most 1 MiB of UTF-8 JSON without NaN, doubled names, endless numbers or bottomless nesting."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises TooLarge (413) and ParseError (400)."""
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise TooLarge(say("At most %(most)s bytes are taken.", most=MAX_BYTES), code="too_large")
        try:
            return codec.loads(raw)
        except Rejected as error:
            raise ParseError(str(error)) from error
