"""`sagactl` as people and scripts use it: a process of its own, with ports of its own."""

import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from sagaline.local.platform_config import PlatformConfig
from sagaline.local.process_key import ProcessKey
from sagaline.local.run_file import RunFile
from tests.integration.cli.folder import (
    UP_WITHIN_S,
    Folder,
    a_folder,
    processes,
    until,
    wait_until_up,
)

pytestmark = pytest.mark.timeout(300)  # a start takes a while on a busy machine

# It takes 2 s; the bound of 10 s is the platform's own, the rest is for a busy machine.
DOWN_WITHIN_S = 20.0


def test_status_names_processes_and_addresses(up: Folder) -> None:
    document = up.json("status")
    assert (document["running"], document["ready"]) == (True, True)
    services = document["services"]
    assert isinstance(services, dict)
    assert list(services) == [service.name for service in PlatformConfig.find(up.path).services]
    for service in services.values():
        assert service["ready"]
        os.kill(service["pid"], 0)
    ports = PlatformConfig.find(up.path).ports
    for server, port in (("kafka", ports.kafka), ("postgres", ports.postgres)):
        described = document[server]
        assert isinstance(described, dict)
        assert described["address"] == f"127.0.0.1:{port}"
    assert up.run("status").returncode == 0


def test_a_second_up_in_the_same_folder_says_that_one_runs(up: Folder) -> None:
    refused = up.run("up")
    assert refused.returncode == 1
    assert re.search(r"runs in .*\.sagaline already, as process \d+", refused.stderr)
    assert "./sagactl down" in refused.stderr


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    taken = PlatformConfig.find(tmp_path).service("payment_service").port
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", taken))
        somebody.listen()
        refused = folder.run("up")
    assert refused.returncode == 1
    assert str(taken) in refused.stderr
    assert "services.payment_service.port in sagaline.toml" in refused.stderr
    assert not (folder.state / "kafka").exists(), "something was started"


def test_an_order_that_waits_tells_its_end_by_exit_code(up: Folder, lamp: str) -> None:
    order = ("order", "create", "--customer", "alice", "--currency", "EUR", "--wait")
    confirmed = up.run(*order, "--line", f"{lamp}=1")
    assert (confirmed.returncode, confirmed.stderr) == (0, "")
    assert "CONFIRMED" in confirmed.stdout
    rejected = up.run(*order, "--line", f"{lamp}=99")
    assert rejected.returncode == 3
    assert "out_of_stock at reserve_stock" in rejected.stdout


def test_what_is_printed_for_people_fits_80_columns(up: Folder, lamp: str) -> None:
    line = ("--line", f"{lamp}=99")
    order = up.json("order", "create", "--customer", "bob", "--currency", "EUR", "--wait", *line)
    order_id = str(order["order_id"])
    shown = [
        up.run("status"),
        up.run("saga", "get", order_id),
        up.run("stock", "get", lamp),
        up.run("account", "get", "bob"),
    ]
    for run in shown:
        assert run.returncode in (0, 1)
        assert "\x1b" not in run.stdout
        assert max(len(line) for line in run.stdout.splitlines() or [""]) <= 80


def test_an_order_and_its_saga_are_found_again(up: Folder, lamp: str) -> None:
    account = ("--limit-minor", "100000", "--currency", "EUR")
    assert up.run("account", "set", "carol", *account).returncode == 0
    order = up.json(
        *("order", "create", "--customer", "carol", "--currency", "EUR"),
        *("--line", f"{lamp}=1", "--key", "basket-1", "--wait"),
    )
    order_id = str(order["order_id"])
    assert up.json("order", "get", order_id)["status"] == "CONFIRMED"
    saga = up.json("saga", "get", order_id)
    assert saga["order_id"] == order_id
    by_saga_id = up.run("saga", "get", str(saga["saga_id"]))
    assert by_saga_id.returncode == 0
    assert order_id in by_saga_id.stdout


def test_what_is_not_known_is_one_line_on_stderr(up: Folder) -> None:
    for verb in ("order", "saga"):
        missing = up.run(verb, "get", "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f")
        assert (missing.returncode, missing.stdout) == (1, "")
        assert missing.stderr.startswith("sagactl: ")
        assert missing.stderr.count("\n") == 1


def test_a_service_that_dies_is_shown_and_started_again(up: Folder) -> None:
    run_file = RunFile.read(up.state)
    assert run_file is not None
    victim = run_file.services["notification_service"].process
    assert victim is not None
    victim.signal(signal.SIGKILL)

    def again() -> bool:
        services = up.json("status").get("services")
        assert isinstance(services, dict)
        other = services["notification_service"]
        return bool(other["ready"]) and other["pid"] != victim.pid

    until(again, within_s=UP_WITHIN_S, what="another notification service")
    assert re.search(r"died +notification_service +signal 9, again in", up.output())


def test_a_load_measures_and_finds_the_books_right(up: Folder) -> None:
    found = up.json("load", "--orders", "30", "--in-flight", "10", "--warm-up", "0")
    assert (found["mode"], found["problems"]) == ("closed", [])
    figures = found["figures"]
    assert isinstance(figures, dict)
    assert figures["statuses"] == {"CONFIRMED": 30}
    assert figures["open_most"] == 10
    for name in ("orders_per_s", "cpu_ms_per_order", "steal_percent"):
        assert isinstance(figures[name], float)
    assert set(figures["latency"]) == {
        *("p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99.9_ms", "max_ms")
    }
    assert {"saga_orchestrator", "Kafka", "PostgreSQL", "load"} <= figures["processes"].keys()


def test_a_load_on_a_schedule_has_rejected_orders_and_looks_beside(up: Folder) -> None:
    found = up.json(
        "load", "--rate", "10", "--seconds", "4", "--reads", "20", "--declined", "50", "--seed", "1"
    )
    assert (found["mode"], found["seed"], found["problems"]) == ("open", 1, [])
    figures, series = found["figures"], found["series"]
    assert isinstance(figures, dict)
    assert isinstance(series, list)
    assert figures["statuses"].keys() == {"CONFIRMED", "REJECTED"}
    assert figures["sent"] + figures["not_sent"] in range(36, 45)
    assert figures["reads"]["p99_ms"] > 0
    assert figures["sagas"]["sampled"] > 0
    assert series[0]["services"]["saga_orchestrator"]["lag_records"] >= 0


def test_a_rate_that_can_not_be_kept_up_ends_and_is_told(up: Folder) -> None:
    hasty = ("--rate", "2000", "--seconds", "2", "--warm-up", "0", "--open-max", "20")
    found = up.run("load", *hasty)
    assert found.returncode == 0, (found.stdout, found.stderr)
    assert "NOT KEPT UP" in found.stdout


def test_a_load_has_one_loop_and_one_end(up: Folder) -> None:
    for words in (("--rate", "5", "--in-flight", "2"), ("--orders", "5", "--seconds", "2")):
        assert up.run("load", *words).returncode == 2


def test_after_a_kill_of_everything_nothing_is_left_and_up_works_again(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    first = folder.start("up")
    wait_until_up(folder, first)
    before = processes(folder)
    assert len(before) == 8
    first.kill()
    first.wait()
    second = folder.start("up")  # at once: it waits until what is left has ended
    try:
        until(
            lambda: folder.output().count("The platform runs") == 2,
            within_s=UP_WITHIN_S,
            what="a second up",
        )
        assert not any(process.lives() for process in before)
        begin_s = time.monotonic()
        assert folder.run("down").returncode == 0
        assert second.wait(DOWN_WITHIN_S) == 0
        assert time.monotonic() - begin_s < DOWN_WITHIN_S + 1  # and Python's own start
        assert not any(process.lives() for process in processes_or_none(folder))
    finally:
        second.kill()
        second.wait()


def processes_or_none(folder: Folder) -> list[ProcessKey]:
    return processes(folder) if RunFile.read(folder.state) else []


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    demo = folder.start("demo")
    until(lambda: "PostgreSQL" in folder.output(), within_s=UP_WITHIN_S, what="the demo's begin")
    begin_s = time.monotonic()
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 130
    assert time.monotonic() - begin_s < DOWN_WITHIN_S
    assert list(tmp_path.glob("sagaline-platform-*")) == []


def test_without_a_platform_every_verb_says_how_to_start_one(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    verbs = [
        ("stock", "get", "LAMP-1"),
        ("account", "get", "alice"),
        ("order", "get", "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f"),
        ("load", "--orders", "1"),
    ]
    for verb in verbs:
        refused = folder.run(*verb)
        assert refused.returncode == 1
        assert "'./sagactl up' starts one" in refused.stderr
    assert folder.run("status").returncode == 4
    assert folder.json("status") == {"running": False}
    assert folder.run("down").stdout == "nothing ran\n"
