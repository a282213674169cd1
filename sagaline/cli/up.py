"""`sagactl up`: a platform that stays, in the foreground."""

import os
import time
from typing import Annotated

import typer
from rich.console import Console

from sagaline.cli import interrupts, place
from sagaline.cli.happening_lines import HappeningLines
from sagaline.cli.output import console
from sagaline.cli.place import JsonOption, StateOption
from sagaline.cli.progress import Progress
from sagaline.local import leftovers, prerequisites
from sagaline.local.embedded import EmbeddedPlatform

HEAL_EVERY_S = 0.5


def up(
    in_process: Annotated[
        bool, typer.Option("--in-process", help="All services in this process, for debuggers.")
    ] = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Start Kafka, PostgreSQL and the services; stay until Ctrl-C, then stop them all.

    A process that dies is started again, and shown. Ports are in sagaline.toml. Data and logs stay
    in .sagaline; to begin anew, './sagactl down --purge' removes it.

    With --in-process the services share this process and one event loop. A breakpoint() in one of
    them stops all; whatever waits for too long meanwhile is begun again.

    With --json each line on stdout is something that happens; it runs after the one named Up.

    Exit 0: stopped by Ctrl-C, SIGTERM or './sagactl down'; 1: it could not start.

    Examples:

      ./sagactl up

      SAGALINE_LOG_LEVEL=DEBUG ./sagactl up --state /tmp/second

      SAGALINE_KAFKA_SESSION_TIMEOUT_MS=300000 ./sagactl up --in-process
    """
    config, directory = place.config(), place.state(state)
    prerequisites.require(config.root, installing=False)
    out = Console(stderr=True, highlight=False) if json else console()
    tell = HappeningLines() if json else Progress(out)
    with interrupts.raised(), directory.owned(os.getpid()):
        leftovers.end(directory)
        platform = EmbeddedPlatform(config, directory, tell=tell, in_process=in_process)
        try:
            platform.start()
            if isinstance(tell, HappeningLines):
                tell.up(platform)
            else:
                _welcome(out, platform)
            _stay(platform)
        except KeyboardInterrupt:
            out.print("stopping ...")
        finally:
            interrupts.ignore()
            platform.stop()
            tell.close()
        out.print("stopped")


def _stay(platform: EmbeddedPlatform) -> None:
    while True:
        time.sleep(HEAL_EVERY_S)
        platform.heal()


def _welcome(out: Console, platform: EmbeddedPlatform) -> None:
    gateway = platform.urls.get("gateway_service")
    if gateway is None:  # not the order platform: of others we know no more than their services
        listed = "\n".join(f"  {url}/docs  {name}" for name, url in platform.urls.items())
        out.print(f"\nThe platform runs. Logs: {platform.state.logs}\n{listed}\nCtrl-C stops it.")
        return
    out.print(f"""
The platform runs. API: {gateway}/docs   Logs: {platform.state.logs}
Another terminal:
  ./sagactl stock set LAMP-1 --on-hand 10 --price-minor 4900 --currency EUR
  ./sagactl order create --customer alice --currency EUR --line LAMP-1=2 --wait
Ctrl-C stops it.""")
