"""Cursors: what a service gave comes back as it was, and everything else is refused."""

import base64

import pytest

from sagaline.chassis import paging


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_cursor_gives_back_what_it_was_made_of() -> None:
    assert paging.parts_of(paging.cursor("a", 1), str, int) == ["a", 1]
    assert paging.id_after(paging.cursor(paging.ID_MAX)) == paging.ID_MAX
    assert paging.id_after(None) == 0


@pytest.mark.parametrize(
    "text",
    [
        '["a\\u0000b"]',  # no text to PostgreSQL
        '["\\ud800"]',  # half a character
        "[" * 700,
        "[1]",
        "[true]",
        '["a", "b"]',
        '{"a": 1}',
        "NaN",
        "",
    ],
)
def test_a_text_that_nobody_gave_is_refused(text: str) -> None:
    with pytest.raises(paging.UnknownCursor):
        paging.parts_of(encoded(text), str)


@pytest.mark.parametrize("text", ["[-1]", "[9007199254740993]", "[1e3]", f"[{'9' * 5_000}]"])
def test_an_id_that_nobody_has_is_refused(text: str) -> None:
    with pytest.raises(paging.UnknownCursor):
        paging.id_after(encoded(text))


@pytest.mark.parametrize("given", ["ä", "a", "====", "a b", "\ud800"])
def test_what_is_not_base64_is_refused(given: str) -> None:
    with pytest.raises(paging.UnknownCursor):
        paging.parts_of(given, str)
