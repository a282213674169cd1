"""`sagactl` without a command: its version, and the help that tells what all commands share."""

import platform
from typing import Annotated

import typer

import sagaline
from sagaline.cli import exits
from sagaline.cli.output import console, print_json
from sagaline.cli.place import PROFILE, JsonOption, Profile, ProfileOption

HELP = f"""
Run the order platform on this machine, and talk to it.

Examples:

  ./sagactl up

  ./sagactl order create --help

  ./sagactl --version --json

\b
Exit codes:
{exits.listing()}
"""


def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and Python's.")
    ] = False,
    profile: ProfileOption = Profile.LOCAL,
    json: JsonOption = False,
) -> None:
    """Answer --version; a command that follows sees to itself."""
    PROFILE.set(profile)
    if version:
        _print_version(json=json)
        raise typer.Exit(exits.Exit.DONE)
    if json:
        raise typer.BadParameter("goes behind the command", param_hint="--json")
    if context.invoked_subcommand is None:
        context.fail("Missing command.")


def _print_version(*, json: bool) -> None:
    python = platform.python_version()
    if json:
        print_json({"version": sagaline.__version__, "python": python})
    else:
        console().print(f"sagactl {sagaline.__version__} (Python {python})", markup=False)
