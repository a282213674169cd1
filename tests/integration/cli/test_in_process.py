"""`sagactl up --in-process`: all services in one process do what six processes do; then a purge."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from sagaline.local.run_file import RunFile
from tests.integration.cli.folder import Folder, a_folder, running, until

pytestmark = pytest.mark.timeout(400)

LAMP = ("stock", "set", "LAMP-1", "--on-hand", "10", "--price-minor", "4900", "--currency", "EUR")
ORDER = ("order", "create", "--currency", "EUR", "--wait", "--within-s", "90")


def account(folder: Folder, customer: str, limit_minor: int) -> None:
    limit = ("--limit-minor", str(limit_minor), "--currency", "EUR")
    assert folder.run("account", "set", customer, *limit).returncode == 0


def ended(folder: Folder, customer: str, line: str) -> tuple[str, str]:
    """How an order ended, and how its saga did."""
    order = folder.json(*ORDER, "--customer", customer, "--line", line)
    saga = ("saga", "get", str(order["order_id"]))
    until(lambda: folder.json(*saga)["state"] in ENDS, within_s=60, what="the saga's end")
    return str(order["status"]), str(folder.json(*saga)["state"])


ENDS = ("COMPLETED", "COMPENSATED")


def test_orders_of_every_outcome_end_in_one_process_and_ctrl_c_ends_all(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    with running(folder, "--in-process", SAGALINE_KAFKA_SESSION_TIMEOUT_MS="300000") as process:
        services = folder.json("status")["services"]
        assert isinstance(services, dict)
        assert {each["pid"] for each in services.values()} == {process.pid}
        assert folder.run("status").returncode == 0
        programs = [" ".join(each.cmdline()) for each in psutil.Process(process.pid).children()]
        assert len(programs) == 2, programs  # the guards of Kafka and PostgreSQL

        assert folder.run(*LAMP).returncode == 0
        account(folder, "alice", 1_000_000)
        account(folder, "bob", 1)
        assert ended(folder, "alice", "LAMP-1=1") == ("CONFIRMED", "COMPLETED")
        assert ended(folder, "alice", "LAMP-1=99") == ("REJECTED", "COMPENSATED")
        assert ended(folder, "bob", "LAMP-1=1") == ("REJECTED", "COMPENSATED")
        for name in services:
            assert '"event": "started"' in (folder.state / "logs" / f"{name}.log").read_text()

        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0, folder.output()
    assert folder.output().rstrip().endswith("stopped")
    assert "died" not in folder.output()
    assert "Traceback" not in folder.output()
    assert RunFile.read(folder.state) is None


def test_a_purge_asks_and_then_leaves_nothing(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    with running(folder, "--in-process", "--json") as process:
        lines = [json.loads(line) for line in folder.output().splitlines()]
        assert lines[-1]["happening"] == "Up"
        ready = [line["service"] for line in lines if line["happening"] == "Ready"]
        assert set(ready) == set(lines[-1]["services"])
        unsaid = folder.run("down", "--purge")
        assert unsaid.returncode == 2
        assert "say --yes" in unsaid.stderr
        (folder.state / "mine.txt").touch()
        refused = folder.run("down", "--purge", "--yes")
        assert refused.returncode == 1
        assert "mine.txt" in refused.stderr
        os.kill(process.pid, 0)  # refused before anything was stopped
        (folder.state / "mine.txt").unlink()
        purged = folder.json("down", "--purge", "--yes")
        assert purged["stopped"] == process.pid
        assert process.wait(40) == 0
    removed = purged["removed"]
    assert isinstance(removed, list)
    assert str(folder.state) in removed
    assert not any(Path(each).exists() for each in removed)
    assert folder.json("down", "--purge", "--yes") == {"stopped": None, "removed": []}
