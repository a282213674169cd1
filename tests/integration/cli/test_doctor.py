"""`sagactl doctor`: of a platform that runs well, of one that doesn't, and where none runs."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

import schemas
from sagaline.local.run_file import RunFile
from tests.integration.cli.folder import Folder, a_folder, until
from tests.integration.cli.test_db import SERVICE, execute

pytestmark = pytest.mark.timeout(300)
TOPIC = "notifications.dlq.v1"
PARK = """
    INSERT INTO sagaline.parked
        (topic, partition, "offset", key, header_names, header_values, error_class, error)
    VALUES ('t', 0, 0, 'k', '{}', '{}', 'Bug', 'No.')
"""


def faults(folder: Folder) -> list[Mapping[str, str]]:
    ran = folder.run("doctor", "--json")
    found = [each for each in json.loads(ran.stdout)["findings"] if each["verdict"] == "WRONG"]
    assert ran.returncode == (1 if found else 0)
    return found


async def configure(bootstrap: str, settings: Mapping[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, TOPIC, configs=dict(settings))
        await admin.alter_configs([resource])
    finally:
        await admin.close()


def test_a_platform_that_runs_well_has_no_fault(up: Folder) -> None:
    shown = up.run("doctor")
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stdout
    about = [line.split()[1] for line in shown.stdout.splitlines() if line.startswith("ok")]
    for what in ("ports", "PostgreSQL", "tables", "clocks", "Kafka", "topics", "services"):
        assert what in about


def test_where_nothing_runs_nothing_is_wrong_with_that(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    shown = folder.run("doctor")
    assert shown.returncode == 0, shown.stdout
    assert "'./sagactl up' starts one" in shown.stdout
    assert not folder.state.exists(), "looking made it"


def test_a_service_that_does_not_answer_is_named(up: Folder) -> None:
    run_file = RunFile.read(up.state)
    assert run_file is not None
    victim = run_file.services[SERVICE].process
    assert victim is not None
    victim.signal(signal.SIGSTOP)
    try:
        (fault,) = faults(up)
        assert fault["about"] == "services"
        assert fault["text"].startswith(f"{SERVICE}: ")
    finally:
        victim.signal(signal.SIGCONT)
    until(lambda: up.run("status").returncode == 0, within_s=60, what="all ready")


async def test_a_topic_that_is_not_as_the_catalog_says_is_named(up: Folder) -> None:
    run_file = RunFile.read(up.state)
    assert run_file is not None
    topic = schemas.CATALOG.topics[TOPIC]
    right = {"cleanup.policy": topic.cleanup_policy, "retention.ms": str(topic.retention_ms)}
    await configure(run_file.kafka.address, {**right, "cleanup.policy": "compact"})
    try:
        (fault,) = faults(up)
        text = f"{TOPIC} has cleanup.policy compact, the catalog says {topic.cleanup_policy}"
        assert fault["text"] == text
    finally:
        await configure(run_file.kafka.address, right)
    assert not faults(up)


def test_a_parked_record_waits_for_a_person(up: Folder) -> None:
    execute(up, PARK)
    try:
        (fault,) = faults(up)
        assert fault["text"] == f"{SERVICE}: 1 parked"
    finally:
        execute(up, "DELETE FROM sagaline.parked WHERE topic = 't'")
