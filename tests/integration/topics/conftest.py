"""A topic of its own for each test, and a Kafka that all share."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio

from tests.integration.topics.stage import Log


@pytest_asyncio.fixture
async def log(kafka_bootstrap: str) -> AsyncIterator[Log]:
    """An empty topic with three partitions."""
    log = Log(kafka_bootstrap, f"payments-{uuid4().hex[:8]}.commands.v1")
    await log.make()
    try:
        yield log
    finally:
        await log.close()
