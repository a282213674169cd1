"""Every command's help: what it does, how it ends, and an example that can be typed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sagaline.cli.app import app

RUNNER = CliRunner()
CHECKOUT = Path(__file__).parents[3]
PAGES = [
    page
    for page in (*sorted(CHECKOUT.glob("*.md")), *sorted(CHECKOUT.glob("docs/**/*.md")))
    if "./sagactl" in page.read_text()
]


def commands(group: typer.Typer, *before: str) -> Iterator[tuple[str, ...]]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield (*before, command.name or command.callback.__name__.replace("_", "-"))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, *before, str(inner.name))


@pytest.mark.parametrize("command", [*commands(app)], ids=" ".join)
def test_a_commands_help_has_exit_codes_and_an_example(command: tuple[str, ...]) -> None:
    shown = RUNNER.invoke(app, [*command, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    assert re.search(r"Exit 0", shown.output)
    assert re.search(rf"\./sagactl {' '.join(command)}", shown.output)
    assert max(map(len, shown.output.splitlines())) <= 80
    for behind in re.findall(r"(?<!')\./sagactl (?:.*\\\n)*.*\n(.*)", shown.output):
        assert behind == "", "an example is wrapped: put \\b above it, and backslashes into it"


def shown_in(page: Path) -> set[tuple[str, ...]]:
    """The words after ./sagactl, of each command on a page."""
    found = re.findall(r"\./sagactl((?: [a-z][a-z-]*)+)", page.read_text())
    return {tuple(words.split()) for words in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_commands_that_a_page_shows_exist(page: Path) -> None:
    known = {*commands(app)}
    for words in shown_in(page):
        assert any(words[: len(command)] == command for command in known), words


@pytest.mark.parametrize("line", ["LAMP-1", "=2", "LAMP-1=two", "LAMP-1="])
def test_a_line_that_is_none_is_wrong_usage(line: str) -> None:
    order = ["order", "create", "--customer", "alice", "--currency", "EUR", "--line", line]
    refused = RUNNER.invoke(app, order)
    assert refused.exit_code == 2
    assert "is not like LAMP-1=2" in refused.output
