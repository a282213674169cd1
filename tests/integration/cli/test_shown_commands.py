"""Every command that a page or a help shows does on a running platform what it is shown to do."""

import json
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.cli.folder import CHECKOUT, Folder, until
from tests.integration.cli.shown import commands_of, shown_commands
from tests.integration.cli.things import THINGS, Orders, Wanted, place_orders, placed

pytestmark = pytest.mark.timeout(300)
HERE = "tests/integration/cli"
CONTAINERS = "tests/containers/compose/test_compose.py"
COMMANDS = shown_commands()

# What a word of a shown command looks like.
SHAPES = {
    "ID": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "NUMBER": r"\d+",
    "OFFSET": r"\d+:\d+",
    "FEW": r"[A-Z]+-1=\d",
    "MANY": r"[A-Z]+-1=\d\d+",
    "SANDBOX_NAME": r"sandbox\..+",
    "SNAPSHOTS": r"sagas\.events\.v1",
    "TOPIC": r"\w+\.\w+\.v\d+",
    "WORD": r"[^-].*",
}
# What names something is told one by one; `...` are words that don't.
NAMING = re.compile("|".join(SHAPES[name] for name in ("ID", "OFFSET", "FEW", "MANY")))


class Way(NamedTuple):
    """How a command is run that is shown like this: each capital word is one of `THINGS`.

    `run` has the words of `shown` in the same places, and those that prose leaves out. Of two rows
    with different `shown` that fit, the first counts; of equal ones, both.
    """

    shown: str
    run: str
    exit_code: int = 0


WAYS = (
    Way("--help", "--help"),
    Way("--version ...", "--version ..."),
    Way("order create --help", "order create --help"),
    Way("status ...", "status ..."),
    Way("doctor ...", "doctor ..."),
    Way("top ...", "top ..."),
    Way("config show ...", "config show ..."),
    Way("db status ...", "db status ..."),
    Way("db upgrade ...", "db upgrade ..."),
    Way("stock set WORD ...", "stock set SKU ..."),
    Way("stock get WORD", "stock get SKU"),
    Way("account set WORD ...", "account set CUSTOMER ..."),
    Way("account get WORD", "account get CUSTOMER"),
    Way(
        "order create --customer WORD --currency EUR --line FEW ...",
        "order create --customer CUSTOMER --currency EUR --line LINE ...",
    ),
    Way(
        "order create --customer WORD --currency EUR --line FEW --line FEW ...",
        "order create --customer CUSTOMER --currency EUR --line LINE --line LINE ...",
    ),
    Way(
        "order create --customer WORD --currency EUR --line MANY --wait",
        "order create --customer CUSTOMER --currency EUR --line LINE --wait",
        3,
    ),
    Way("order list ...", "order list ..."),
    Way("order get ID", "order get ORDER"),
    Way("order get ID", "order get REJECTED"),
    Way("order watch ID", "order watch NEW_ORDER"),
    Way("order watch ID", "order watch REJECTED", 3),
    Way("saga list ...", "saga list ..."),
    Way("saga get", "saga get ORDER"),
    Way("saga get ID", "saga get ORDER"),
    Way("saga get ID", "saga get REJECTED"),
    Way("saga watch ID ...", "saga watch NEW_ORDER ..."),
    Way("saga watch ID ...", "saga watch REJECTED ...", 3),
    Way("dlq list ...", "dlq list ..."),
    Way("dlq show --service WORD NUMBER", "dlq show --service WORD UNREADABLE"),
    Way("dlq redrive --service WORD NUMBER", "dlq redrive --service WORD MENDED"),
    Way("dlq redrive --service WORD NUMBER", "dlq redrive --service WORD UNREADABLE", 3),
    # The drill redrives in vain first, and then with a reason: there is a release that copes.
    Way("dlq redrive --error-class WORD", "dlq redrive --error-class UNREADABLE_CLASS", 3),
    Way(
        "dlq redrive --service WORD --error-class WORD",
        "dlq redrive --service WORD --error-class UNREADABLE_CLASS",
        3,
    ),
    Way(
        "dlq redrive --error-class WORD --reason WORD",
        "dlq redrive --error-class MENDED_CLASS --reason WORD",
    ),
    Way(
        "dlq discard --service WORD NUMBER --reason WORD",
        "dlq discard --service WORD UNREADABLE --reason WORD",
    ),
    Way("outbox list ...", "outbox list ..."),
    Way(
        "outbox redrive --service WORD NUMBER --reason WORD",
        "outbox redrive --service WORD QUARANTINED --reason WORD",
    ),
    Way(
        "outbox discard --service WORD NUMBER --reason WORD",
        "outbox discard --service WORD QUARANTINED --reason WORD",
    ),
    Way("topic list ...", "topic list ..."),
    Way("topic describe TOPIC", "topic describe WORD"),
    Way("topic tail SANDBOX_NAME", "topic tail SANDBOX"),
    Way("topic tail TOPIC --follow ...", "topic tail WORD --follow ...", 130),
    Way("topic tail TOPIC --key ID ...", "topic tail WORD --key REJECTED ..."),
    Way(
        "topic tail TOPIC --from OFFSET --until OFFSET", "topic tail WORD --from BEGIN --until END"
    ),
    Way("topic tail TOPIC ...", "topic tail WORD ..."),
    Way(
        "topic replay SNAPSHOTS --from WORD --live --reason WORD",
        "topic replay WORD --from WORD --live --reason WORD",
        1,
    ),
    Way(
        "topic replay TOPIC --key ID --live --reason WORD",
        "topic replay WORD --key ORDER --live --reason WORD",
    ),
    Way(
        "topic replay TOPIC --from OFFSET --until OFFSET --to SANDBOX_NAME",
        "topic replay WORD --from BEGIN --until END --to WORD",
    ),
    Way("topic replay TOPIC --from WORD ...", "topic replay WORD --from WORD ..."),
    Way("topic replays", "topic replays"),
    Way("topic replay-stop", "topic replay-stop RUNNING_REPLAY"),
    Way("topic replay-stop ID", "topic replay-stop RUNNING_REPLAY"),
    Way("topic replay-resume", "topic replay-resume STOPPED_REPLAY"),
    Way("topic replay-resume ID", "topic replay-resume STOPPED_REPLAY"),
)

# What begins a platform, ends it or needs one of its own is run by other tests: where, and how.
ELSEWHERE = {
    "up": (f"{HERE}/test_running.py", 'folder.start("up")'),
    "SAGALINE_LOG_LEVEL=DEBUG up --state /tmp/second": (
        f"{HERE}/conftest.py",
        'running(folder, "--state", str(folder.state), SAGALINE_LOG_LEVEL="DEBUG")',
    ),
    "SAGALINE_KAFKA_SESSION_TIMEOUT_MS=300000 up --in-process": (
        f"{HERE}/test_in_process.py",
        'running(folder, "--in-process", SAGALINE_KAFKA_SESSION_TIMEOUT_MS="300000")',
    ),
    "SAGALINE_OTLP_ENDPOINT=http://127.0.0.1:4318 up": (
        "tests/integration/traces/test_traces.py",
        '"SAGALINE_OTLP_ENDPOINT": collected[1]',
    ),
    "--profile compose": (CONTAINERS, '"--profile", "compose", *arguments'),
    "--profile compose status": (CONTAINERS, 'sagactl(composed, "status"'),
    "down": (f"{HERE}/test_running.py", 'folder.run("down")'),
    "down --purge": (f"{HERE}/test_in_process.py", 'folder.run("down", "--purge")'),
    "down --purge --yes": (f"{HERE}/test_in_process.py", '"down", "--purge", "--yes"'),
    "demo": ("Makefile", "./sagactl demo"),
    "demo --json": (f"{HERE}/test_demo.py", 'folder.run("demo", "--json"'),
    "load --orders 2000 --in-flight 64": (f"{HERE}/test_running.py", '"load", "--orders"'),
    "load --rate 50 --seconds 60 --reads 100 --declined 10": (
        f"{HERE}/test_running.py",
        '"load", "--rate"',
    ),
    "load --orders 500 --in-flight 1 --json": (f"{HERE}/test_running.py", 'up.json("load"'),
}


@pytest.fixture(scope="module")
def orders(up: Folder) -> Orders:
    return place_orders(up)


def ways(command: str) -> list[Way]:
    words = shlex.split(command)
    fitting = [way for way in WAYS if fits(way.shown.split(), words)]
    return [way for way in fitting if way.shown == fitting[0].shown]


def fits(pattern: list[str], words: list[str]) -> bool:
    if pattern[-1] == "...":
        rest = words[len(pattern) - 1 :]
        pattern, words = pattern[:-1], words[: len(pattern) - 1]
        if any(NAMING.fullmatch(word) for word in rest):
            return False
    return len(pattern) == len(words) and all(
        re.fullmatch(SHAPES.get(expected, re.escape(expected)), word)
        for expected, word in zip(pattern, words, strict=True)
    )


def arguments(way: Way, wanted: Wanted) -> Iterator[str]:
    """The shown words, with what is there in place of what they name."""
    pattern = way.run.removesuffix(" ...").split()
    for expected, shown in zip_longest(pattern, wanted.words, fillvalue=""):
        make = THINGS.get(expected)
        yield str(make(wanted, shown)) if make else shown or expected


RUNS = [
    pytest.param(command, way, id=f"{command} > {way.run}")
    for command in sorted(COMMANDS)
    for way in ways(command)
    if command not in ELSEWHERE
]


@pytest.mark.parametrize(("command", "way"), RUNS)
def test_a_shown_command_ends_as_documented(
    up: Folder, orders: Orders, tmp_path: Path, command: str, way: Way
) -> None:
    with ExitStack() as after:
        words = shlex.split(command)
        made = list(arguments(way, Wanted(up, orders, words, after)))
        ran = followed(up, made, tmp_path) if way.exit_code == 130 else up.run(*made)
    assert ran.returncode == way.exit_code, (made, ran.stdout, ran.stderr)
    assert ran.returncode == 1 or ran.stderr == "", made
    if "--json" in made:
        assert ran.stdout
        documents(ran.stdout)


def documents(stdout: str) -> list[object]:
    """One, or one a line."""
    try:
        return [json.loads(stdout)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in stdout.splitlines()]


def followed(up: Folder, made: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """It is interrupted by Ctrl-C when it has shown something."""
    out, err = folder / "out", folder / "err"

    def has_shown_a_line() -> bool:
        placed(up)
        return "\n" in out.read_text()

    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen(
            up.command(*made), cwd=up.path, env=up.environment(), stdout=stdout, stderr=stderr
        )
    try:
        until(has_shown_a_line, within_s=60, what="a line")
        process.send_signal(signal.SIGINT)
        return subprocess.CompletedProcess(made, process.wait(60), out.read_text(), err.read_text())
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_it_is_known_where_each_shown_command_is_run(command: str) -> None:
    assert (command in ELSEWHERE) != bool(ways(command)), (
        f"{COMMANDS[command]} show(s) './sagactl {command}'. Say in WAYS of {HERE}/"
        f"{Path(__file__).name} what it is run with (a row, and in things.py what it names), or,"
        " if it begins or ends a platform, in ELSEWHERE which test runs it."
    )


def test_no_row_is_left_of_commands_that_nothing_shows() -> None:
    assert ELSEWHERE.keys() <= COMMANDS.keys()
    used = {way for command in COMMANDS for way in ways(command)}
    assert [way for way in WAYS if way not in used] == []


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_run_elsewhere_is_run_there(command: str) -> None:
    name, text = ELSEWHERE[command]
    assert text in (CHECKOUT / name).read_text()


def test_commands_are_found_in_blocks_in_spans_and_in_quotations() -> None:
    page = """Say `./sagactl saga get` or './sagactl top', or `./sagactl`.
$ ./sagactl topic replay a.b.v1 --live \\
    --reason "two words"
    A=1 B=2 ./sagactl status --json | jq '.a | .b'
"""
    assert list(commands_of(page)) == [
        "saga get",
        "top",
        "topic replay a.b.v1 --live --reason 'two words'",
        "A=1 B=2 status --json",
    ]
