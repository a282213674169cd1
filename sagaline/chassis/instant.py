"""Instants as text: RFC 3339 in UTC, as headers and documents have them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

TEXTS_MAX: Final = 8_192  # kept; a transaction has one time, and its sagas tell it again and again


@lru_cache(maxsize=TEXTS_MAX)
def text_of(at: datetime) -> str:
    """The text of an aware time: `2026-11-22T12:00:00.012000Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
