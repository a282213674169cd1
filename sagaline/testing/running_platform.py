"""A running platform in the hands of one test: its HTTP, its topics, its sagas, its bad days."""

from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

import httpx
from aiokafka.structs import ConsumerRecord

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import Envelope, Record
from sagaline.chassis.messages import SagaSnapshot
from sagaline.local.topics.catalog import catalog
from sagaline.testing.awaited_saga import AwaitedSaga
from sagaline.testing.environment import Environment
from sagaline.testing.outages import Outages
from sagaline.testing.topic_log import READ_WITHIN_S, NotPublished, TopicLog

HTTP_TIMEOUT_S = 10.0


class Captured(Protocol):
    """What the fixture `captured` is: RunningPlatform.captured."""

    async def __call__(
        self,
        topic: str,
        *,
        key: UUID | None = None,
        count: int = 1,
        within_s: float = READ_WITHIN_S,
    ) -> list[Record]:
        """Wait for that many of this test's messages; give them all."""


class RunningPlatform(Outages):
    """The platform of a sagaline.toml, its services real processes; `async with` closes its HTTP.

    What an outage took down is up again after `heal`.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.topics = TopicLog(environment.kafka.bootstrap)
        self.keys: set[UUID] = set()  # what this test is about: `captured` looks for these
        self._http: dict[str, httpx.AsyncClient] = {}  # by base URL

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for http in self._http.values():
            await http.aclose()

    @property
    def catalog(self) -> Catalog:
        """The platform's messages and topics."""
        return catalog(self.environment.config)

    def http(self, service: str) -> httpx.AsyncClient:
        """A client of the service's HTTP: `await platform.http("debit_service").get("/books")`."""
        return self._client(self.environment.urls[service])

    def operators(self, service: str) -> httpx.AsyncClient:
        """A client of the service's operators' side."""
        return self._client(self.environment.operator_urls[service])

    # --- topics

    async def captured(
        self,
        topic: str,
        *,
        key: UUID | None = None,
        count: int = 1,
        within_s: float = READ_WITHIN_S,
    ) -> list[Record]:
        """Wait until `count` messages of this test's keys, or of `key`, stand on the topic.

        Gives all of them, decoded by the catalog, with their envelopes; each partition's in the
        order of the log. Raises NotPublished, and MalformedEnvelope, UnknownFingerprint or
        UndecodableRecord.
        """
        keys = self.keys if key is None else {key}
        assert keys, "no saga_of() has named a key of this test: which one is meant?"
        codec = Codec(self.catalog)
        found = await self.topics.records(
            topic, keys={str(each) for each in keys}, count=count, within_s=within_s
        )
        records = [_decoded(record, codec) for record in found]
        if len(records) < count:
            seen = ", ".join(type(record.message).__name__ for record in records) or "none"
            raise NotPublished(
                topic=topic,
                count=count,
                within_s=within_s,
                seen=seen,
                keys=", ".join(map(str, keys)),
            )
        return records

    async def publish_again(self, topic: str, *, key: UUID) -> int:
        """Every record of that key stands in the topic once more; how many there were."""
        return await self.topics.publish_again(topic, keys={str(key)})

    async def consumed(self, topic: str, *, within_s: float) -> None:
        """Every service that reads the topic has answered all that is in it now.

        Raises NotConsumed.
        """
        services = {service.name for service in self.environment.config.services}
        groups = [name for name in self.catalog.topics[topic].readers if name in services]
        assert groups, f"no service reads {topic}"
        await self.topics.consumed(topic, groups=groups, within_s=within_s)

    # --- sagas

    def saga_of(self, key: UUID, definition: str) -> AwaitedSaga:
        """Give the key's saga of that definition, begun or not; the key is this test's, then."""
        self.keys.add(key)
        return AwaitedSaga(self.operators(self._orchestrator()), definition, key)

    # --- inside

    def _orchestrator(self) -> str:
        """The service that runs sagas: snapshots of them are its to write."""
        topics = self.catalog.topics.values()
        return next(t.owner for t in topics if SagaSnapshot.avro_name in t.messages)

    def _client(self, url: str) -> httpx.AsyncClient:
        if url not in self._http:
            # Neither proxies nor certificates have a part in talking to this machine.
            self._http[url] = httpx.AsyncClient(
                base_url=url, timeout=HTTP_TIMEOUT_S, trust_env=False
            )
        return self._http[url]


def _decoded(record: ConsumerRecord[bytes, bytes], codec: Codec) -> Record:
    assert record.key is not None, record
    assert record.value is not None, record
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key.decode(),
        envelope=Envelope.parse(record.headers),
        message=codec.decode(record.value),
        value=record.value,
    )
