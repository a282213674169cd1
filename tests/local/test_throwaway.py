"""Real servers come up empty, serve, and leave nothing behind."""

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sagaline.testing.runtime import OWNER, TestServer


async def test_the_running_service_uses_what_its_owner_made_but_alters_nothing(
    postgres_server: TestServer,
) -> None:
    postgres_server.create_database("roles")
    owner = await asyncpg.connect(postgres_server.url("roles", OWNER))
    await owner.execute("CREATE TABLE shelf (id bigserial, sku text)")
    await owner.execute("CREATE TABLE sagaline.thing (id bigserial, note text)")
    app = await asyncpg.connect(postgres_server.url("roles"))
    await app.execute("INSERT INTO shelf (sku) VALUES ('LAMP-1')")
    await app.execute("INSERT INTO sagaline.thing (note) VALUES ('x')")
    assert await app.fetchval("SELECT sku FROM shelf") == "LAMP-1"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE mine (id int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("DROP TABLE shelf")
    assert await app.fetchval("SHOW idle_in_transaction_session_timeout") == "5s"
    assert await app.fetchval("SHOW transaction_timeout") == "30s"
    assert await app.fetchval("SHOW fsync") == "on"
    await app.close()
    await owner.close()


async def test_a_role_of_one_service_cannot_enter_another_services_database(
    postgres_server: TestServer,
) -> None:
    postgres_server.execute("CREATE DATABASE foreign_service")
    postgres_server.execute("REVOKE ALL ON DATABASE foreign_service FROM PUBLIC")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(postgres_server.url("foreign_service"))


async def test_a_record_goes_through_kafka(kafka_bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics(
        [NewTopic("throwaway.records", num_partitions=1, replication_factor=1)]
    )
    await admin.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, enable_idempotence=True, acks="all"
    )
    await producer.start()
    await producer.send_and_wait("throwaway.records", b"lamp")
    await producer.stop()
    consumer = AIOKafkaConsumer(
        "throwaway.records",
        bootstrap_servers=kafka_bootstrap,
        group_id="throwaway",
        auto_offset_reset="earliest",
    )
    await consumer.start()
    assert (await consumer.getone()).value == b"lamp"
    await consumer.stop()
