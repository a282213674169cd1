"""The list of topics fits the services and the platform's own messages."""

from pathlib import Path

import schemas
from sagaline.avro.topic_lint import OUTSIDE
from sagaline.chassis import messages as platform

from .sources import OWN

ROOT = Path(__file__).parents[2]


def test_owners_and_readers_are_services_of_this_platform() -> None:
    topics = schemas.CATALOG.topics.values()
    names = {topic.owner for topic in topics} | {r for topic in topics for r in topic.readers}
    for name in names - OUTSIDE:
        assert (ROOT / name / "service.py").is_file(), name


def test_each_service_writes_something() -> None:
    services = {file.parent.name for file in ROOT.glob("*/service.py")}
    assert {topic.owner for topic in schemas.CATALOG.topics.values()} == services


def test_the_platforms_messages_are_the_chassis_own() -> None:
    listed = {m for topic in schemas.CATALOG.topics.values() for m in topic.messages}
    own = {message.avro_name for message in platform.MESSAGES}
    assert listed - OWN.schemas().keys() == own


def test_snapshots_are_not_compacted() -> None:
    # A retried send may leave an older snapshot at the highest offset; compaction would keep it.
    assert schemas.CATALOG.topics["sagas.events.v1"].cleanup_policy == "delete"


def test_an_order_has_one_partition_number_on_all_topics() -> None:
    # What relies on it: its reply topics meet in one orchestrator process.
    assert {topic.partitions for topic in schemas.CATALOG.topics.values()} == {12}
