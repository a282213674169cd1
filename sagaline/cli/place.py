"""Which platform a command means: that of the checkout it is called in, or of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

import sagaline
from sagaline.chassis.errors import PlatformError
from sagaline.local.client import Client
from sagaline.local.compose import Containers
from sagaline.local.errors import BadPlatformFile
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.run_file import RunFile
from sagaline.local.state_directory import NAME, StateDirectory

T = TypeVar("T")
NOT_IN_CONTAINERS = "this command is for a platform that './sagactl up' started; see compose.yaml"


class Profile(StrEnum):
    """Where the platform runs that commands speak to."""

    LOCAL = "local"
    COMPOSE = "compose"


# What `--profile` in front of the command names: the root sets it before any command runs.
PROFILE: ContextVar[Profile] = ContextVar("profile", default=Profile.LOCAL)

ProfileOption = Annotated[
    Profile,
    typer.Option(
        envvar="SAGALINE_PROFILE",
        help="The platform that 'sagactl up' started here, or that of 'docker compose up'.",
    ),
]

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="SAGALINE_STATE",
        metavar="DIRECTORY",
        help="Where the platform keeps data, logs and pids.  [default: .sagaline]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class NotRunning(PlatformError):
    """No platform runs in {directory}: './sagactl up' starts one."""


def config() -> PlatformConfig:
    """Give the platform of the folder we are in, or else of the checkout this code is in."""
    try:
        return PlatformConfig.find(Path.cwd())
    except BadPlatformFile:
        checkout = Path(sagaline.__file__).parents[1]
        if (checkout / "sagaline.toml").exists():
            return PlatformConfig.find(checkout)
        raise


def state(given: Path | None) -> StateDirectory:
    """Give the state directory that `--state` names, or the usual one.

    Commands that need it are for the platform that `up` starts: with another one, wrong usage.
    """
    if PROFILE.get() is not Profile.LOCAL:
        raise typer.BadParameter(NOT_IN_CONTAINERS, param_hint="--profile")
    return StateDirectory((given or config().root / NAME).resolve())


def running(given: Path | None) -> RunFile:
    """Give what runs. Raises NotRunning, and of containers NoDocker and NothingComposed."""
    if PROFILE.get() is Profile.COMPOSE:
        platform = config()
        return Containers.asked(platform.root).run_file(platform)
    directory = state(given)
    if directory.owner() is None or (run_file := RunFile.read(directory.path)) is None:
        raise NotRunning(directory=directory.path)
    return run_file


def ask(given: Path | None, question: Callable[[Client], Awaitable[T]]) -> T:
    """Ask the platform that runs; give the answer. Raises NotRunning, and the client's errors."""
    known = running(given)

    async def answer() -> T:
        async with Client(known.urls, known.operator_urls) as client:
            return await question(client)

    return asyncio.run(answer())
