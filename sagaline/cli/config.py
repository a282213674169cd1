"""`sagactl config`: which settings are in force, and where each comes from."""

import json as jsons
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from sagaline.chassis.errors import PlatformError
from sagaline.cli import place
from sagaline.cli.completion import service_names
from sagaline.cli.operating import chosen_services
from sagaline.cli.output import console, print_json, print_table
from sagaline.cli.place import JsonOption, Profile
from sagaline.local.compose import Containers
from sagaline.local.environment import service_environment
from sagaline.local.launch import DEFAULTS
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.ports import LOOPBACK

TIMEOUT_S: Final = 60.0
BY_UP: Final = "sagactl"  # what `up` sets for the services that it starts

app = typer.Typer(no_args_is_help=True, help="See the services' settings.")


class ConfigFailed(PlatformError):
    """{service} can't say how it is set: {reason}"""


@dataclass(frozen=True, slots=True)
class _Server:
    """Where a server would answer; nothing is started to see settings."""

    port: int

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def url(self, database: str, role: str) -> str:
        return f"postgresql://{role}:***@{LOOPBACK}:{self.port}/{database}"


@app.command()
def show(
    service: Annotated[
        str | None,
        typer.Argument(help="Only its, for example order_service.", autocompletion=service_names),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what nobody has set: the defaults.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show each service's settings as they are in force, and where from; no passwords.

    Origins: environment (a variable), file (one that ends with _FILE names it), sagactl (what 'up'
    sets: addresses, ports, databases), default. It is what 'up' would do from here, running or not;
    with --profile compose it is what each container has. Wrong settings are told as at a start.

    Exit 0: shown; 1: a service's settings can't be used, and stderr says why.

    Examples:

      ./sagactl config show order_service

      ./sagactl config show --all --json | jq '.order_service[].variable'
    """
    chosen = chosen_services(service)
    found = {name: _settings(name) for name in chosen}
    kept = {
        name: [each for each in settings if everything or each["origin"] != "default"]
        for name, settings in found.items()
    }
    if json:
        print_json(kept)
        return
    for name, settings in kept.items():
        rows = [(each["variable"], each["value"], each["origin"]) for each in settings]
        print_table(console(), (name, "", "from"), rows)
        console().print()


def _settings(service: str) -> list[dict[str, Any]]:
    config = place.config()
    if place.PROFILE.get() is Profile.COMPOSE:
        containers = Containers.asked(config.root).replicas(service)
        if not containers:
            raise ConfigFailed(service=service, reason="it has no container")
        inside = ("python", "-m", service, "config", "--json")
        return _asked(service, ("docker", "exec", containers[0].name, *inside), os.environ, config)
    told = service_environment(
        config.service(service),
        kafka=_Server(config.ports.kafka),
        postgres=_Server(config.ports.postgres),
    )
    ours = {**DEFAULTS, **os.environ, **told}
    command = (sys.executable, "-m", service, "config", "--json")
    by_up = told.keys() | (DEFAULTS.keys() - os.environ.keys())
    return [
        {**each, "origin": BY_UP} if each["variable"] in by_up else each
        for each in _asked(service, command, ours, config)
    ]


def _asked(
    service: str, command: tuple[str, ...], environment: Mapping[str, str], config: PlatformConfig
) -> list[dict[str, Any]]:
    done = subprocess.run(
        command,
        cwd=config.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise ConfigFailed(service=service, reason=done.stderr.strip())
    found: list[dict[str, Any]] = jsons.loads(done.stdout)
    return found
