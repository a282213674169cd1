"""docs/reference/sagactl.md: every command, as its help tells it."""

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from sagaline.cli.exits import MEANINGS

WIDTH = 80
BEGIN = """\
# sagactl

<!-- Made by `make reference`; change the commands, not this page. -->

`sagactl` runs the order platform on one machine, and talks to the one that runs. In a checkout it
is `./sagactl`, which makes its own environment; where the wheel is installed, it is `sagactl`.

It means the platform of the folder it is called in, or of a folder above: the one with
`sagaline.toml`. `--state` names another state directory than `.sagaline` beside that file. What
`--json` prints is one document on stdout and nothing else, unless a command's help says that it is
lines; what went wrong is on stderr.

`sagactl --install-completion` teaches bash, zsh or fish to complete commands, options, topics and
services.
"""


def page(app: typer.Typer) -> str:
    """Give the page."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup), root
    found = list(_commands(root, "sagactl"))
    contents = " · ".join(f"[{name}](#{name.replace(' ', '-')})" for name, _ in found)
    sections = [f"## {name}\n\n```text\n{_trimmed(text)}\n```\n" for name, text in found]
    return "\n".join([BEGIN, _exit_codes(), f"**Commands**: {contents}\n", *sections])


def _commands(group: TyperGroup, before: str) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        full = f"{before} {name}"
        if isinstance(command, TyperGroup):
            yield from _commands(command, full)
        else:
            assert isinstance(command, TyperCommand), command
            yield full, _help(command, full)


def _help(command: TyperCommand | TyperGroup, name: str) -> str:
    """Give what `--help` shows, on a terminal as narrow as any."""
    context = command.context_class(command, info_name=name, terminal_width=WIDTH)
    return command.get_help(context)


def _exit_codes() -> str:
    rows = [f"| {code} | {text} |" for code, text in MEANINGS.items()]
    return "\n".join(["## Exit codes", "", "| code | meaning |", "| --- | --- |", *rows, ""])


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
