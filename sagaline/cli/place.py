"""Which platform a command means: that of the checkout it is called in, or of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

import sagaline
from sagaline.chassis.errors import PlatformError
from sagaline.local.client import Client
from sagaline.local.errors import BadPlatformFile
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.run_file import RunFile
from sagaline.local.state_directory import NAME, StateDirectory

T = TypeVar("T")

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
    """Give the state directory that `--state` names, or the usual one."""
    return StateDirectory((given or config().root / NAME).resolve())


def running(given: Path | None) -> RunFile:
    """Give what runs. Raises NotRunning."""
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
