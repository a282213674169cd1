"""`migrate` and `topics` of a service, with its settings, on real servers."""

from typing import Any

import pytest

from sagaline.chassis.main import created, migrated
from sagaline.chassis.patience import Refused, Unreachable
from sagaline.chassis.topics import PartitionsDiffer
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.echo import stage
from tests.integration.echo.service import TOPIC, EchoSettings, service


def settings(**given: Any) -> EchoSettings:
    return EchoSettings.model_validate(given)


async def test_topics_can_be_created_again_and_again(
    kafka_bootstrap: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for _ in range(2):
        await created(service(settings(kafka_bootstrap=kafka_bootstrap)))
    said = {each.msg["event"]: each.msg for each in caplog.records if isinstance(each.msg, dict)}
    line = said["topics stand"]  # of the second time
    assert (line["created"], line["stood"]) == ((), (TOPIC,))
    assert said["schemas are published"]["new"] == 0


async def test_topics_of_another_size_are_told_with_the_numbers(kafka_bootstrap: str) -> None:
    await created(service(settings(kafka_bootstrap=kafka_bootstrap)))
    with pytest.raises(PartitionsDiffer, match="has 3 partitions, not 5"):
        await created(service(settings(kafka_bootstrap=kafka_bootstrap, topic_partitions=5)))


async def test_without_kafka_topics_gives_up_in_time_and_says_where_it_looked() -> None:
    with pytest.raises(Unreachable, match=f"Kafka at {stage.NOBODY} can't be reached"):
        await created(service(settings(kafka_bootstrap=stage.NOBODY, start_wait_ms=0)))


async def test_migrate_as_a_role_that_may_not_is_refused(postgres_server: TestServer) -> None:
    postgres_server.create_database("echo_verbs")
    try:
        with pytest.raises(Refused, match="permission denied"):
            await migrated(service(settings(migration_url=postgres_server.url("echo_verbs"))))
        await migrated(service(settings(migration_url=postgres_server.url("echo_verbs", OWNER))))
    finally:
        postgres_server.drop_database("echo_verbs")
