"""Services in one process: told of, started again, and ended at any moment of their start."""

import os
import queue
import random
import time
from pathlib import Path

from sagaline.local.happenings import Died, Happening
from sagaline.local.in_process import InProcess
from sagaline.local.ports import free_port

WITHIN_S = 60.0
ECHO = "tests.integration.echo"


def test_a_service_that_cannot_be_made_is_told_of_and_tried_again(tmp_path: Path) -> None:
    told: queue.Queue[Happening] = queue.Queue()
    services = InProcess(["no_such_service"], tmp_path, {}, tell=told.put)
    services.start()
    try:
        deaths = [told.get(timeout=WITHIN_S) for _ in range(2)]
    finally:
        services.stop()
    assert all(isinstance(each, Died) for each in deaths)
    assert [each.deaths for each in deaths if isinstance(each, Died)] == [1, 2]
    assert "No module named 'no_such_service'" in (tmp_path / "no_such_service.log").read_text()
    assert services.process("no_such_service") is None


def test_one_that_waits_for_its_database_ends_when_it_is_to(tmp_path: Path) -> None:
    told: queue.Queue[Happening] = queue.Queue()
    nobody = free_port(random.SystemRandom())
    variables = {
        "SAGALINE_ECHO_DATABASE_URL": f"postgresql://echo:secret@127.0.0.1:{nobody}/echo",
    }
    before = dict(os.environ)
    services = InProcess([ECHO], tmp_path, variables, tell=told.put)
    services.start()
    log, deadline_s = tmp_path / f"{ECHO}.log", time.monotonic() + WITHIN_S
    try:
        while '"event": "waiting"' not in log.read_text():
            assert time.monotonic() < deadline_s, log.read_text()
            time.sleep(0.05)
    finally:
        services.stop()
    assert told.empty(), "its end is no death"
    assert "secret" not in log.read_text()
    assert os.environ == before


def test_one_that_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    InProcess([ECHO], tmp_path, {}, tell=lambda _: None).stop()
