"""docs/library.md quotes the example as it is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/library.md").read_text()
QUOTES = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, flags=re.DOTALL)


def test_every_piece_of_python_says_where_it_is_from() -> None:
    assert len(QUOTES) == PAGE.count("```python") > 0


@pytest.mark.parametrize("file, text", QUOTES, ids=[file for file, _ in QUOTES])
def test_what_is_quoted_stands_there(file: str, text: str) -> None:
    assert text in (ROOT / file).read_text()
