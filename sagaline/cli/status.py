"""`sagactl status`: what runs, where it answers, what is missing."""

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path

import typer

from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, print_json, print_table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local import readiness
from sagaline.local.client import Json
from sagaline.local.compose import NothingComposed
from sagaline.local.run_file import RunFile, RunningServer

CONNECT_TIMEOUT_S = 1.0


def status(state: StateOption = None, json: JsonOption = False) -> None:
    """Show processes, URLs and addresses, and what a service that is not ready lacks.

    Exit 0: all of it is ready; 3: it runs, but not all is ready; 4: nothing runs.

    Examples:

      ./sagactl status

      ./sagactl status --json | jq -r .services.gateway_service.url
    """
    try:
        run_file = place.running(state)
    except (place.NotRunning, NothingComposed) as error:
        if json:
            print_json({"running": False})
        else:
            console().print(str(error), markup=False)
        raise typer.Exit(Exit.NOT_RUNNING) from None
    lacking = asyncio.run(readiness.missing(run_file.urls))
    ready = not lacking and all(_lives(server) for server in (run_file.kafka, run_file.postgres))
    if json:
        print_json(_document(run_file, lacking, ready=ready))
    else:
        _print(run_file, lacking)
    raise typer.Exit(Exit.DONE if ready else Exit.OTHERWISE)


def _document(run_file: RunFile, lacking: Mapping[str, str], *, ready: bool) -> Json:
    return {
        "running": True,
        "ready": ready,
        "pid": run_file.supervisor.pid if run_file.supervisor else None,
        "services": {
            name: {
                "pid": service.process.pid if service.process else None,
                "url": service.url,
                "operator_url": service.operator_url,
                "log": _text(service.log),
                "ready": name not in lacking,
                "missing": lacking.get(name),
            }
            for name, service in run_file.services.items()
        },
        "kafka": _server(run_file.kafka),
        "postgres": _server(run_file.postgres),
    }


def _server(server: RunningServer) -> Json:
    return {
        "pid": server.process.pid if server.process else None,
        "address": server.address,
        "log": _text(server.log),
        "ready": _lives(server),
    }


def _print(run_file: RunFile, lacking: Mapping[str, str]) -> None:
    rows: list[tuple[object, ...]] = [
        (
            name,
            s.process.pid if s.process else "-",
            s.url.removeprefix("http://"),
            s.operator_url.removeprefix("http://"),
            lacking.get(name, "ready"),
        )
        for name, s in run_file.services.items()
    ]
    rows += [
        (
            name,
            server.process.pid if server.process else "-",
            server.address,
            "",
            "ready" if _lives(server) else "does not run",
        )
        for name, server in (("Kafka", run_file.kafka), ("PostgreSQL", run_file.postgres))
    ]
    print_table(console(), ("", "pid", "address", "operators", ""), rows)


def _lives(server: RunningServer) -> bool:
    if server.process is not None:
        return server.process.lives()
    host, _, port = server.address.rpartition(":")
    try:
        # Nothing is known of a container's processes: it lives if somebody takes our call.
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _text(log: Path | None) -> str | None:
    return None if log is None else str(log)
