"""What runbooks tell to type, `sagactl` understands: at night nobody looks for the right option."""

import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from sagaline.cli.app import app

PROMPT = "$ ./sagactl "
RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
TYPED = sorted(
    {
        line.removeprefix(PROMPT)
        for page in RUNBOOKS.glob("*.md")
        for line in page.read_text().splitlines()
        if line.startswith(PROMPT)
    }
)


@pytest.mark.parametrize("typed", TYPED)
def test_a_command_is_one_with_its_options_and_arguments(typed: str) -> None:
    command: object = typer.main.get_command(app)
    words = shlex.split(typed)
    while isinstance(command, TyperGroup):
        command = command.commands[words.pop(0)]
    assert isinstance(command, TyperCommand)
    command.make_context(typed, words)
