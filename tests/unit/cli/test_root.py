"""`sagactl` by itself: its version, its help with the exit codes, and wrong usage."""

import json
import platform

from typer.testing import CliRunner

import sagaline
from sagaline.cli.app import app
from sagaline.cli.exits import MEANINGS, Exit

RUNNER = CliRunner()


def test_the_version_is_the_packages_and_names_python() -> None:
    shown = RUNNER.invoke(app, ["--version"])
    assert shown.exit_code == 0
    assert shown.stdout == f"sagactl {sagaline.__version__} (Python {platform.python_version()})\n"


def test_the_version_is_there_for_programs() -> None:
    shown = RUNNER.invoke(app, ["--version", "--json"])
    assert json.loads(shown.stdout) == {
        "version": sagaline.__version__,
        "python": platform.python_version(),
    }


def test_the_help_tells_every_exit_code() -> None:
    shown = RUNNER.invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    lines = [line.split(maxsplit=1) for line in shown.splitlines()]
    told = {int(line[0]): line[1] for line in lines if line and line[0].isdigit()}
    assert told == {int(code): text for code, text in MEANINGS.items()}
    assert set(MEANINGS) == set(Exit)
    assert max(map(len, shown.splitlines())) <= 80


def test_json_before_the_command_is_wrong_usage() -> None:
    refused = RUNNER.invoke(app, ["--json", "status"])
    assert refused.exit_code == Exit.WRONG_USAGE
    assert "goes behind the command" in refused.output


def test_without_a_command_the_help_is_shown() -> None:
    shown = RUNNER.invoke(app, [])
    assert shown.exit_code == Exit.WRONG_USAGE
    assert "Exit codes:" in shown.output
