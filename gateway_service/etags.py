"""Entity tags (RFC 9110) of what is shown about an order: its sequence tells one from another."""

import re
from collections.abc import Iterable
from typing import Final

from gateway_service import domain

_TAGS: Final = re.compile(r'(?:W/)?"([^"]*)"')


def etag(view: domain.View | None) -> str:
    """The tag of the documents made of this view; weak, since a release may render them anew."""
    return f'W/"{0 if view is None else view.sequence}"'


def matches(if_none_match: Iterable[str], tag: str) -> bool:
    """Whether the client has what this tag stands for."""
    (opaque,) = _TAGS.findall(tag)
    return any(field.strip() == "*" or opaque in _TAGS.findall(field) for field in if_none_match)
