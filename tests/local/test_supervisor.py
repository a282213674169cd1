"""The supervisor and real processes: started, started again, ended together, never left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sagaline.local.child import Program
from sagaline.local.happenings import Died, Ended, Happening, Started
from sagaline.local.process_key import ProcessKey
from sagaline.local.supervisor import Supervisor

WITHIN_S = 20.0
WAITS = "import signal; print('here', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITS + "; signal.pause()"
DIES = "print('no such luck', flush=True); raise SystemExit(3)"


class Told:
    """What the supervisor told, to be waited for."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []

    def __call__(self, happening: Happening) -> None:
        self.happenings.append(happening)

    def of(self, kind: type) -> list[Happening]:
        return [happening for happening in self.happenings if isinstance(happening, kind)]


def until(met: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not met():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def supervise(tmp_path: Path, told: Told) -> Iterator[Callable[..., Supervisor]]:
    """Start a supervisor of services that run the sources given by name."""
    started = []

    def start(*, grace_s: float = WITHIN_S, **sources: str) -> Supervisor:
        for service, source in sources.items():
            (tmp_path / f"{service}.py").write_text(source)
        programs = {
            service: Program(
                arguments=(service,),
                directory=tmp_path,
                environment=dict(os.environ),
                log=tmp_path / "logs" / f"{service}.log",
            )
            for service in sources
        }
        supervisor = Supervisor(programs, tell=told, grace_s=grace_s)
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def says_here(tmp_path: Path, service: str) -> Callable[[], bool]:
    log = tmp_path / "logs" / f"{service}.log"
    return lambda: log.exists() and "here" in log.read_text()


def test_a_process_that_dies_is_started_again_after_ever_longer_pauses(
    supervise: Callable[..., Supervisor], told: Told
) -> None:
    supervise(unlucky=DIES)
    until(lambda: len(told.of(Died)) == 3)
    deaths = [happening for happening in told.happenings if isinstance(happening, Died)][:3]
    assert [death.exit_code for death in deaths] == [3, 3, 3]
    assert [death.deaths for death in deaths] == [1, 2, 3]
    assert deaths[0].restart_in_s < deaths[1].restart_in_s < deaths[2].restart_in_s
    assert all(death.tail == ("no such luck",) for death in deaths)
    assert len(told.of(Started)) >= 3


def test_a_killed_process_is_replaced_by_another_one(
    supervise: Callable[..., Supervisor], told: Told
) -> None:
    supervisor = supervise(waiter=WAITS)
    until(lambda: supervisor.process("waiter") is not None)
    first = supervisor.process("waiter")
    assert first is not None
    first.signal_group(signal.SIGKILL)
    until(lambda: supervisor.process("waiter") not in (None, first))
    assert not first.lives()
    (death,) = [happening for happening in told.happenings if isinstance(happening, Died)]
    assert death.exit_code == -signal.SIGKILL


def test_stop_ends_all_of_them_at_once_and_kills_who_does_not_listen(
    supervise: Callable[..., Supervisor], told: Told, tmp_path: Path
) -> None:
    supervisor = supervise(waiter=WAITS, deaf_1=DEAF, deaf_2=DEAF, deaf_3=DEAF, grace_s=2)
    services = ("waiter", "deaf_1", "deaf_2", "deaf_3")
    for service in services:
        until(says_here(tmp_path, service))
    processes = [supervisor.process(service) for service in services]
    begin_s = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begin_s < 3 * 2  # one grace for all of them, not one each
    assert not any(process and process.lives() for process in processes)
    assert sorted(
        (happening.service, happening.killed)
        for happening in told.happenings
        if isinstance(happening, Ended)
    ) == [("deaf_1", True), ("deaf_2", True), ("deaf_3", True), ("waiter", False)]
    assert not told.of(Died)


def test_a_held_service_stays_down_until_it_is_released(
    supervise: Callable[..., Supervisor], told: Told
) -> None:
    supervisor = supervise(waiter=WAITS)
    until(lambda: supervisor.process("waiter") is not None)
    supervisor.hold("waiter")
    until(lambda: len(told.of(Ended)) == 1)
    assert supervisor.process("waiter") is None
    supervisor.release("waiter")
    until(lambda: supervisor.process("waiter") is not None)
    assert not told.of(Died)


def test_a_killed_supervisor_leaves_no_service_behind(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    script = textwrap.dedent(f"""
        import os, sys
        from pathlib import Path
        from sagaline.local.child import Program, Started
        from sagaline.local.supervisor import Supervisor

        here = Path({str(tmp_path)!r})
        program = Program(
            arguments=("deaf",), directory=here, environment=dict(os.environ), log=here / "log"
        )

        def tell(happening):
            if isinstance(happening, Started):
                print(happening.process.pid, flush=True)

        Supervisor({{"deaf": program}}, tell=tell).start()
        sys.stdin.read()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        process = ProcessKey.of(int(supervisor.stdout.readline()))
        assert process is not None
        until(lambda: "here" in (tmp_path / "log").read_text())
        supervisor.kill()
    until(lambda: not process.lives())


def test_a_log_tells_its_last_lines_in_words(tmp_path: Path, told: Told) -> None:
    source = """import json; print(json.dumps({"level": "error", "event": "no", "part": 1}))"""
    (tmp_path / "talker.py").write_text(source + "; raise SystemExit(1)")
    program = Program(
        arguments=("talker",),
        directory=tmp_path,
        environment=dict(os.environ),
        log=tmp_path / "log",
    )
    supervisor = Supervisor({"talker": program}, tell=told)
    supervisor.start()
    until(lambda: bool(told.of(Died)))
    supervisor.stop()
    death = next(happening for happening in told.happenings if isinstance(happening, Died))
    assert death.tail == ("ERROR   no part=1",)
