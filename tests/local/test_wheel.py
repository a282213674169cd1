"""The built wheel is whole: away from the checkout it runs, and so does a platform of others."""

import re
import shutil
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import SystemRandom
from uuid import UUID

import httpx
import pytest

from sagaline.local.platform_config import FILENAME
from sagaline.local.ports import free_port

from .elsewhere import CHECKOUT, Elsewhere, built, installed

WITHIN_S = 120.0
POLL_S = 0.1
DEBIT, CREDIT, TRANSFERS = "debit_service", "credit_service", "transfer_orchestrator"
USE = """
import random, sys, sagaline
assert sagaline.__file__.startswith(sys.argv[1]), sagaline.__file__
from sagaline.local import kafka_jars, throwaway
from sagaline.local.provisioning import provision
assert kafka_jars.pins()
with throwaway.postgres(random.SystemRandom()) as server:
    provision(server, ["lamp_service"])
    server.execute("ALTER DATABASE lamp_service OWNER TO lamp_service_owner")
print("it works")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "venv"
    return installed(wheel, path, path.parent).environment


@pytest.fixture
def sample(environment: Path, folder: Path) -> Elsewhere:
    """A copy of the example, on ports that are free now."""
    shutil.copytree(CHECKOUT / "examples/two_services", folder / "sample")
    file = folder / "sample" / FILENAME
    text = re.sub(r"^port = .*", r"\g<0>\noperator_port = 0", file.read_text(), flags=re.M)
    rng = SystemRandom()
    file.write_text(re.sub(r" = \d+$", lambda _: f" = {free_port(rng)}", text, flags=re.M))
    return Elsewhere(environment, folder / "sample")


def urls(sample: Elsewhere) -> Mapping[str, str]:
    services = tomllib.loads((sample.folder / FILENAME).read_text())["services"]
    found = {name: f"http://127.0.0.1:{entry['port']}" for name, entry in services.items()}
    operators = services[TRANSFERS]["operator_port"]
    return found | {TRANSFERS: f"http://127.0.0.1:{operators}"}


@pytest.fixture
def up(sample: Elsewhere) -> Iterator[Mapping[str, str]]:
    """The example's platform runs: where its services answer, of the orchestrator its operators."""
    with sample.started("sagactl", "up") as process:
        try:
            deadline_s = time.monotonic() + WITHIN_S
            while sample.run("sagactl", "status").returncode != 0:
                assert time.monotonic() < deadline_s, "not ready"
                assert process.poll() is None, process.communicate()[0]
                time.sleep(POLL_S)
            yield urls(sample)
        finally:
            sample.run("sagactl", "down")
            process.wait(WITHIN_S)


def test_the_wheel_carries_its_data_and_runs_elsewhere(environment: Path, tmp_path: Path) -> None:
    elsewhere = Elsewhere(environment, tmp_path)
    # Everything that is not Python must be in it, too: schemas, SQL, pins, the typing marker.
    for source in (CHECKOUT / "sagaline").rglob("*"):
        place = source.relative_to(CHECKOUT)
        hidden = any(part.startswith(".") for part in place.parts)
        if source.is_file() and not hidden and source.suffix not in (".py", ".pyc"):
            assert (elsewhere.site / place).is_file(), place
    done = elsewhere.run("python", "-c", USE, str(elsewhere.site))
    assert "it works" in done.stdout, done.stdout


def test_without_its_extras_sagactl_says_what_to_install(wheel: Path, tmp_path: Path) -> None:
    bare = installed(wheel, tmp_path / "venv", tmp_path, whole=False)
    done = bare.run("sagactl", "--version")
    assert done.returncode == 1
    assert "pip install 'sagaline[local]'" in done.stdout
    assert "Traceback" not in done.stdout


def test_where_no_platform_is_sagactl_says_so(environment: Path, tmp_path: Path) -> None:
    elsewhere = Elsewhere(environment, tmp_path)
    assert elsewhere.run("sagactl", "--version").stdout.startswith("sagactl ")
    for command in ("up", "doctor", "status", "demo"):
        done = elsewhere.run("sagactl", command)
        assert done.returncode != 0, command
        assert "neither here nor above is there one" in done.stdout, done.stdout


def test_a_platform_without_orders_is_told_that_the_demo_needs_them(sample: Elsewhere) -> None:
    done = sample.run("sagactl", "demo")
    assert done.returncode == 1
    assert "This platform has no gateway_service" in done.stdout


def test_schemas_are_generated_and_checked_elsewhere(sample: Elsewhere) -> None:
    for command in (("generate", "--check"), ("lint",)):
        done = sample.run("python", "-m", f"sagaline.avro.{command[0]}", *command[1:])
        assert done.returncode == 0, done.stdout
    topics = sample.folder / "schemas/topics.yaml"
    topics.write_text(topics.read_text().replace("messages: [StartTransfer]", "messages: [Gone]"))
    done = sample.run("python", "-m", "sagaline.avro.lint")
    assert "transfers.requests.Gone is no message" in done.stdout


@pytest.mark.timeout(300)
def test_a_transfer_is_done_or_undone(up: Mapping[str, str], sample: Elsewhere) -> None:
    _put(f"{up[DEBIT]}/accounts/ada", 100)
    _put(f"{up[CREDIT]}/accounts/bob", 0)
    assert _ended(up, "bob") == "COMPLETED"
    assert (_points(f"{up[DEBIT]}/accounts/ada"), _points(f"{up[CREDIT]}/accounts/bob")) == (60, 40)
    assert _ended(up, "nobody") == "COMPENSATED"
    assert _points(f"{up[DEBIT]}/accounts/ada") == 60
    # What operators have works here, too: it takes messages and topics from this catalog.
    listed = sample.run("sagactl", "topic", "tail", "debits.replies.v1", "--from", "0")
    assert "PointsReleased" in listed.stdout, listed.stdout
    examined = sample.run("sagactl", "doctor")
    assert "3 are ready" in examined.stdout, examined.stdout


@pytest.mark.timeout(400)
def test_the_examples_own_tests_pass(sample: Elsewhere) -> None:
    done = sample.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def _put(url: str, points: int) -> None:
    httpx.put(url, json={"points": points}, trust_env=False).raise_for_status()


def _points(url: str) -> int:
    return int(httpx.get(url, trust_env=False).json()["points"])


def _ended(up: Mapping[str, str], to_account: str) -> str:
    """Start a transfer of 40 points from ada; how its saga has ended."""
    new = {"from_account": "ada", "to_account": to_account, "points": 40}
    accepted = httpx.post(f"{up[DEBIT]}/transfers", json=new, trust_env=False)
    saga_id = UUID(accepted.raise_for_status().json()["saga_id"])
    deadline_s = time.monotonic() + WITHIN_S
    while True:
        answer = httpx.get(f"{up[TRANSFERS]}/sagas/{saga_id}", trust_env=False)
        state = answer.json()["state"] if answer.is_success else f"HTTP {answer.status_code}"
        if state in ("COMPLETED", "COMPENSATED"):
            return str(state)
        assert time.monotonic() < deadline_s, state
        time.sleep(POLL_S)
