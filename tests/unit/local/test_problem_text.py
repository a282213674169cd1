"""A problem document becomes one line for people."""

import httpx
import pytest

from sagaline.local.answers import problem_text


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"title": "Not found", "detail": "No such order."}', "No such order"),
        (
            b'{"detail": "The body is wrong.", "errors": [{"field": "a", "message": "is 0"}]}',
            "The body is wrong; a: is 0",
        ),
        (b'{"detail": "a: is 0.", "errors": [{"field": "a", "message": "is 0"}]}', "a: is 0"),
        (b"<html>", "<html>"),
        (b"[1]", "[1]"),
    ],
)
def test_detail_and_faults_are_told_once(body: bytes, line: str) -> None:
    assert problem_text(httpx.Response(422, content=body)) == line
