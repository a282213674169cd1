"""Topics on a real Kafka, from the catalog."""

from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

import schemas
from sagaline.chassis import topics
from sagaline.chassis.topics import Made, PartitionsDiffer, TopicRefused


@pytest.fixture
def catalog() -> schemas.Catalog:
    """The real catalog, under names that no other test uses."""
    prefix = uuid4().hex[:8]
    found = {
        f"{prefix}.{name}": replace(topic, name=f"{prefix}.{name}")
        for name, topic in schemas.CATALOG.topics.items()
    }
    return replace(schemas.CATALOG, topics=found)


async def create(
    catalog: schemas.Catalog, bootstrap: str, *, partitions: int | None = 2, replicas: int = 1
) -> Made:
    return await topics.create(
        catalog,
        service="inventory_service",
        bootstrap=bootstrap,
        partitions=partitions,
        replicas=replicas,
        timeout_ms=10_000,
    )


def own(catalog: schemas.Catalog) -> tuple[str, ...]:
    owned = (topic for topic in catalog.topics.values() if topic.owner == "inventory_service")
    return tuple(sorted(topic.name for topic in owned))


async def test_a_service_creates_its_own_topics_and_only_those(
    catalog: schemas.Catalog, kafka_bootstrap: str
) -> None:
    made = await create(catalog, kafka_bootstrap)
    assert made == Made(created=own(catalog), stood=())
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        listed = set(await admin.list_topics())
    finally:
        await admin.close()
    assert listed & set(catalog.topics) == set(own(catalog))


async def test_a_second_time_changes_nothing(
    catalog: schemas.Catalog, kafka_bootstrap: str
) -> None:
    await create(catalog, kafka_bootstrap)
    assert await create(catalog, kafka_bootstrap) == Made(created=(), stood=own(catalog))


async def test_without_an_override_the_catalog_says_how_many_partitions(
    catalog: schemas.Catalog, kafka_bootstrap: str
) -> None:
    await create(catalog, kafka_bootstrap, partitions=None)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics(list(own(catalog)))
        resource = ConfigResource(ConfigResourceType.TOPIC, own(catalog)[0])
        (configs,) = await admin.describe_configs([resource])
    finally:
        await admin.close()
    assert {each["topic"]: len(each["partitions"]) for each in described} == {
        name: catalog.topics[name].partitions for name in own(catalog)
    }
    values = {entry[0]: entry[1] for entry in configs.resources[0][4]}
    assert values["retention.ms"] == str(catalog.topics[own(catalog)[0]].retention_ms)


async def test_another_partition_count_is_told_and_not_changed(
    catalog: schemas.Catalog, kafka_bootstrap: str
) -> None:
    await create(catalog, kafka_bootstrap, partitions=2)
    with pytest.raises(PartitionsDiffer, match=r"has 2 partitions, not 3") as caught:
        await create(catalog, kafka_bootstrap, partitions=3)
    assert all(name in str(caught.value) for name in own(catalog))


async def test_what_kafka_refuses_is_told_with_its_reason(
    catalog: schemas.Catalog, kafka_bootstrap: str
) -> None:
    with pytest.raises(TopicRefused, match=r"inventory\."):
        await create(catalog, kafka_bootstrap, replicas=9)
