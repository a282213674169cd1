"""Records that are parked and messages in quarantine, on a platform where all else is well."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from sagaline.local.platform_config import PlatformConfig
from sagaline.local.postgres import Postgres
from sagaline.local.run_file import RunFile
from sagaline.local.state_directory import StateDirectory
from sagaline.testing.topic_log import TopicLog
from tests.integration.cli.folder import Folder, until

PARKED_WITHIN_S = 60.0
COMMANDS = {
    "inventory_service": "inventory.commands.v1",
    "payment_service": "payments.commands.v1",
}
# Nobody on the platform reads this topic, so what is sent there after all does no harm.
QUARANTINE = """
    INSERT INTO sagaline.outbox
        (topic, key, type, message_id, headers, payload, created_at, quarantined_at, error)
    VALUES
        ('orders.events.v1', $1, $2, $3, $4::jsonb, '\\x00', now(), now(), 'No such topic.')
    RETURNING id
"""
EVENT = "orders.events.OrderConfirmed"


def park(folder: Folder, service: str, *, key: str, again: bool = False) -> int:
    """Have the service park a record that nobody can read; give its id.

    With `again` all that the service was ever told under this key stands parked behind it.
    """
    count = asyncio.run(_sent(_bootstrap(folder), COMMANDS[service], key, again=again))
    until(
        lambda: len(parked(folder, service, key=key)) == count,
        within_s=PARKED_WITHIN_S,
        what=f"{count} parked records of {key}",
    )
    return int(parked(folder, service, key=key)[0]["id"])


def parked(folder: Folder, service: str, *, key: str) -> list[dict[str, Any]]:
    """Give what the service has parked under this key, the oldest first."""
    listed: Any = folder.json("dlq", "list", "--service", service, "--key", key)
    letters: list[dict[str, Any]] = listed["dead_letters"]
    return letters


def quarantine(folder: Folder, service: str) -> int:
    """Put a message into the service's outbox, in quarantine; give its id."""
    key = str(uuid4())
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": EVENT,
        "ce_source": f"/{service}",
        "ce_subject": key,
        "ce_time": "2026-01-01T00:00:00Z",
    }
    return asyncio.run(_inserted(folder, service, key, headers))


async def _inserted(folder: Folder, service: str, key: str, headers: dict[str, str]) -> int:
    port = PlatformConfig.find(folder.path).ports.postgres
    postgres = Postgres(StateDirectory(folder.state).postgres, port=port)
    connection = await asyncpg.connect(postgres.url(service, f"{service}_owner"))
    try:
        values = (key, EVENT, headers["ce_id"], json.dumps(headers))
        return int(await connection.fetchval(QUARANTINE, *values))
    finally:
        await connection.close()


async def _sent(bootstrap: str, topic: str, key: str, *, again: bool) -> int:
    """How many records now stand behind all others of this key."""
    before = await TopicLog(bootstrap).records(topic, keys={key}) if again else []
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, key=key.encode(), value=b"no record")
        for record in before:
            headers = list(record.headers)
            await producer.send_and_wait(topic, key=record.key, value=record.value, headers=headers)
    finally:
        await producer.stop()
    return 1 + len(before)


def _bootstrap(folder: Folder) -> str:
    run_file = RunFile.read(folder.state)
    assert run_file is not None
    return run_file.kafka.address
