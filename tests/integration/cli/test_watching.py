"""`sagactl top` and `saga watch`: what they show of a platform at work."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from tests.integration.cli.folder import Folder, until

pytestmark = pytest.mark.timeout(300)
ORDER = ("order", "create", "--customer", "alice", "--currency", "EUR")


def placed(folder: Folder, line: str) -> str:
    return str(folder.json(*ORDER, "--line", line)["order_id"])


def look(folder: Folder) -> Mapping[str, Any]:
    return folder.json("top", "--every-s", "0.2")


def test_top_counts_what_has_ended_and_shows_each_process(up: Folder, lamp: str) -> None:
    before = look(up)["sagas"]["COMPENSATED"]
    assert up.run(*ORDER, "--line", f"{lamp}=99", "--wait").returncode == 3
    until(
        lambda: look(up)["sagas"]["COMPENSATED"] == before + 1,
        within_s=60,
        what="a saga that is compensated",
    )
    services = up.json("status")["services"]
    assert isinstance(services, dict)
    shown = look(up)
    assert list(shown["services"]) == list(services)
    assert all(each["missing"] is None for each in shown["services"].values())
    assert list(shown["processes"]) == [*services, "Kafka", "PostgreSQL"]
    assert all(each["memory_mib"] > 10 for each in shown["processes"].values())


def test_top_without_a_terminal_looks_once_in_80_columns(up: Folder) -> None:
    shown = up.run("top", "--every-s", "0.2")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["orders", "sagas"]
    assert lines[-1].startswith("PostgreSQL")
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in shown.stdout


def test_top_on_a_terminal_goes_on_until_ctrl_c(up: Folder) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        up.command("top", "--every-s", "0.2"),
        cwd=up.path,
        env={**up.environment(), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as screen:
        seen = b""
        while seen.count(b"PostgreSQL") < 3:  # it looks again and again
            seen += screen.read(4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_a_saga_is_watched_until_its_end(up: Folder, lamp: str) -> None:
    for line, exit_code, state in ((f"{lamp}=1", 0, "COMPLETED"), (f"{lamp}=99", 3, "COMPENSATED")):
        order_id = placed(up, line)
        watched = up.run("saga", "watch", order_id)
        assert (watched.returncode, watched.stderr) == (exit_code, "")
        last = watched.stdout.splitlines()[-1]
        assert last.split()[1:] == ["saga", state]


def test_a_watched_saga_is_lines_of_json_for_programs(up: Folder, lamp: str) -> None:
    order_id = placed(up, f"{lamp}=1")
    watched = up.run("saga", "watch", order_id, "--json")
    sagas = [json.loads(line) for line in watched.stdout.splitlines()]
    sequences = [saga["sequence"] for saga in sagas]
    assert sequences == sorted(set(sequences)), "a line for each change, and no more"
    assert sagas[-1] == up.json("saga", "get", order_id)
    by_saga_id = up.run("saga", "watch", str(sagas[-1]["saga_id"]))
    assert by_saga_id.returncode == 0


def test_a_saga_that_is_not_known_is_not_watched(up: Folder) -> None:
    missing = up.run("saga", "watch", "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f")
    assert (missing.returncode, missing.stdout) == (1, "")
