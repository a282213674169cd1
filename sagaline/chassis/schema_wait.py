"""Waiting for schemas: a record that can't be read yet stops its partition, within a limit.

See docs/architecture.md, "Schemas". A writer that was deployed a minute before its readers, or a
schema that was published late, makes no poison of good records. What is still unknown when the
limit is over is parked like any record that nobody can read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import NoReturn, TypeAlias

from aiokafka.errors import KafkaError
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.batch import Raw
from sagaline.chassis.codec import Codec

Schemas: TypeAlias = Mapping[bytes, Mapping[str, object]]
Read: TypeAlias = Callable[[Collection[bytes]], Awaitable[Schemas]]


class SchemaWait:
    """Which fingerprints are waited for, and since when; `read` gives those that are published."""

    def __init__(
        self,
        codec: Codec,
        read: Read,
        *,
        limit_ms: int,
        backoff_ms: int,
        backoff_max_ms: int,
        clock_s: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._codec = codec
        self._read = read
        self._limit_s = limit_ms / 1000
        self._backoff_s = backoff_ms / 1000
        self._backoff_max_s = backoff_max_ms / 1000
        self._clock_s = clock_s
        self._log = log
        self._since_s: dict[bytes, float] = {}
        self._asked = asyncio.Event()

    def holds(self, raw: Raw) -> bool:
        """The record, and with it its partition, has to wait."""
        fingerprint = self._codec.unknown_in(raw.value)
        if fingerprint is None:
            return False
        if fingerprint not in self._since_s:
            self._since_s[fingerprint] = self._clock_s()
            self._asked.set()
            place = {"topic": raw.topic, "partition": raw.partition, "offset": raw.offset}
            self._log.warning("waits for a schema", fingerprint=fingerprint.hex(), **place)
        return not self._is_over(fingerprint)

    @property
    def problem(self) -> str | None:
        """What partitions wait for, if any does."""
        waited = sorted(key.hex() for key in self._since_s if not self._is_over(key))
        return f"schemas are not published: {', '.join(waited)}" if waited else None

    async def run(self, look: Callable[[], None]) -> NoReturn:
        """Learn what is waited for as it is published; after each try, `look` looks again."""
        backoff_s = self._backoff_s
        while True:
            await self._asked.wait()
            try:
                self._learn(await self._read(self._since_s.keys()))
            except (KafkaError, TimeoutError, OSError) as error:
                self._log.warning("schemas not read", error=repr(error))
            look()
            if not self._since_s:
                self._asked.clear()
                backoff_s = self._backoff_s
                continue
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, self._backoff_max_s)

    def _learn(self, published: Schemas) -> None:
        for fingerprint, schema in published.items():
            if self._codec.learn(fingerprint, schema):
                del self._since_s[fingerprint]
                self._log.info("schema learned", fingerprint=fingerprint.hex())

    def _is_over(self, fingerprint: bytes) -> bool:
        return self._clock_s() - self._since_s[fingerprint] >= self._limit_s
