"""One Kafka and one database for all tests of the engine; a run of the orchestrator for each."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

import schemas
from saga_orchestrator.service import service
from saga_orchestrator.settings import OrchestratorSettings
from sagaline.chassis import main, topics
from sagaline.local import throwaway
from sagaline.testing.runtime import APP, OWNER, TestServer
from tests.integration.engine.stage import PARTICIPANTS, Stage, codec

DATABASE = "engine_tests"
OWNERS = sorted({topic.owner for topic in schemas.CATALOG.topics.values()})


@pytest.fixture(scope="package")
def engine_kafka() -> Iterator[str]:
    """A Kafka of these tests' own, with all topics: group and topic names are the platform's."""
    with throwaway.kafka(random.SystemRandom()) as server:
        asyncio.run(_create_topics(server.bootstrap))
        yield server.bootstrap


async def _create_topics(bootstrap: str) -> None:
    for owner in OWNERS:
        await topics.create(
            schemas.CATALOG,
            service=owner,
            bootstrap=bootstrap,
            partitions=4,
            replicas=1,
            timeout_ms=20_000,
        )


@pytest.fixture(scope="package")
def engine_database(postgres_server: TestServer) -> Iterator[str]:
    """A migrated database for the orchestrator."""
    postgres_server.create_database(DATABASE)
    owner = {"migration_url": postgres_server.url(DATABASE, OWNER)}
    asyncio.run(main.migrated(service(OrchestratorSettings.model_validate(owner))))
    yield DATABASE
    postgres_server.drop_database(DATABASE)


@pytest.fixture
def settings(
    engine_kafka: str, engine_database: str, postgres_server: TestServer
) -> OrchestratorSettings:
    """Short time-outs: an attempt waits 400 ms, and there are two of them."""
    return OrchestratorSettings.model_validate(
        {
            "SAGALINE_KAFKA_BOOTSTRAP": engine_kafka,
            "database_url": postgres_server.url(engine_database, APP),
            "step_timeout_ms": 400,
            "step_resends_max": 1,
            "step_backoff_ms": 200,
            "timer_tick_ms": 50,
        }
    )


@pytest.fixture
async def stage(
    settings: OrchestratorSettings, engine_database: str, postgres_server: TestServer
) -> AsyncIterator[Stage]:
    """The orchestrator, running; the test plays everyone else."""
    names = [f"{participant}.commands.v1" for participant in PARTICIPANTS]
    consumer = AIOKafkaConsumer(
        *names,
        "sagas.events.v1",
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all")
    async with service(settings).running() as running, producer, consumer:
        stage = Stage(
            running=running,
            codec=codec(),
            producer=producer,
            consumer=consumer,
            bootstrap=settings.kafka_bootstrap,
            database_url=postgres_server.url(engine_database, "postgres"),
        )
        # Sagas of earlier tests stay as they are: what they send again would hold up fences here.
        await stage.fetch("UPDATE saga SET timer_at = NULL")
        yield stage
