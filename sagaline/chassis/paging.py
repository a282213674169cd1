"""Pages of operators' lists: how many at once, and where the next one begins."""

import base64
import binascii
import json
from typing import Annotated, TypeAlias

from fastapi import Query

from sagaline.chassis.errors import PlatformError

PAGE_ROWS = 50
PAGE_ROWS_MAX = 200
CURSOR_CHARACTERS_MAX = 1_000
ID_MAX = 2**53 - 1  # what JSON carries everywhere, RFC 7493

Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX, description="How many at most.")]
Cursor: TypeAlias = Annotated[
    str | None,
    Query(max_length=CURSOR_CHARACTERS_MAX, description="`next` of the page before."),
]


class UnknownCursor(PlatformError):
    """The cursor is none that an answer has given as `next`."""

    status = 422


def cursor(*parts: str | int) -> str:
    """Where a list goes on, as a text to be given back and not to be read."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def parts_of(given: str, *kinds: type) -> list[object]:
    """What a cursor was made of; raises UnknownCursor where that isn't one of each of `kinds`."""
    try:
        parts = json.loads(base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise UnknownCursor from error
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise UnknownCursor
    if any(isinstance(part, str) and not part.isprintable() for part in parts):
        raise UnknownCursor  # NULs and halves of characters are no text to PostgreSQL
    return parts


def id_after(given: str | None) -> int:
    """The id after which a list goes on, 0 at its begin; raises UnknownCursor."""
    if given is None:
        return 0
    (after,) = parts_of(given, int)
    assert isinstance(after, int), after
    if not 0 <= after <= ID_MAX:
        raise UnknownCursor
    return after
