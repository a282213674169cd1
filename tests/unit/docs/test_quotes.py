"""The pages for other teams quote the example as it is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("library.md", "testing.md")}
QUOTED = re.compile(r"```python\n# (\S+)\n(.*?)```", flags=re.DOTALL)
QUOTES = [quote for page in PAGES.values() for quote in QUOTED.findall(page)]


@pytest.mark.parametrize("page", PAGES)
def test_every_piece_of_python_says_where_it_is_from(page: str) -> None:
    assert len(QUOTED.findall(PAGES[page])) == PAGES[page].count("```python") > 0


@pytest.mark.parametrize("file, text", QUOTES, ids=[file for file, _ in QUOTES])
def test_what_is_quoted_stands_there(file: str, text: str) -> None:
    assert text in (ROOT / file).read_text()
