"""A running platform in the hands of one test: its HTTP, its topics, its sagas, its bad days."""

import asyncio
import json
import time
from types import TracebackType
from typing import Final, Self
from uuid import UUID

import httpx
from aiokafka.structs import ConsumerRecord
from pydantic import TypeAdapter

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import Envelope, Record, saga_id
from sagaline.chassis.messages import SagaSnapshot
from sagaline.engine.view import SagaView
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.topics.catalog import catalog
from sagaline.testing.outages import POLL_S, NotSoon, Outages
from sagaline.testing.saga_history import SagaHistory
from sagaline.testing.topic_log import TopicLog

HTTP_TIMEOUT_S = 10.0
ENDED = ("COMPLETED", "COMPENSATED")
SAGA: Final = TypeAdapter(SagaView)


class RunningPlatform(Outages):
    """The platform of a sagaline.toml, its services real processes; `async with` closes its HTTP.

    What an outage took down is up again after `heal`.
    """

    def __init__(self, embedded: EmbeddedPlatform) -> None:
        super().__init__(embedded)
        self.topics = TopicLog(embedded.kafka.bootstrap)
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
        return catalog(self.embedded.config)

    def http(self, service: str) -> httpx.AsyncClient:
        """A client of the service's HTTP: `await platform.http("debit_service").get("/books")`."""
        return self._client(self.embedded.urls[service])

    def operators(self, service: str) -> httpx.AsyncClient:
        """A client of the service's operators' side."""
        return self._client(self.embedded.operator_urls[service])

    # --- topics

    async def messages(self, topic: str, *, key: UUID) -> list[Record]:
        """All that stands on the topic for that key, in the log's order, decoded by the catalog.

        Raises MalformedEnvelope, UnknownFingerprint or UndecodableRecord.
        """
        codec = Codec(self.catalog)
        records = await self.topics.records(topic, keys={str(key)})
        return [_decoded(record, codec) for record in records]

    async def publish_again(self, topic: str, *, key: UUID) -> int:
        """Every record of that key stands in the topic once more; how many there were."""
        return await self.topics.publish_again(topic, keys={str(key)})

    async def consumed(self, topic: str, *, within_s: float) -> None:
        """Every service that reads the topic has answered all that is in it now.

        Raises NotConsumed.
        """
        services = {service.name for service in self.embedded.config.services}
        groups = [name for name in self.catalog.topics[topic].readers if name in services]
        assert groups, f"no service reads {topic}"
        await self.topics.consumed(topic, groups=groups, within_s=within_s)

    # --- sagas, at the operators' side of the service that runs them

    async def saga_view(self, definition: str, key: UUID) -> SagaView | None:
        """How the key's saga of that definition stands; None as long as there is none."""
        answer = await self._saga(definition, key, "")
        return None if answer is None else SAGA.validate_json(answer)

    async def saga_end(self, definition: str, key: UUID, *, within_s: float) -> SagaView:
        """Wait until the key's saga has ended, one way or the other; give it. Raises NotSoon."""
        deadline_s = time.monotonic() + within_s
        while True:
            saga = await self.saga_view(definition, key)
            if saga is not None and saga.state in ENDED:
                return saga
            if time.monotonic() > deadline_s:
                stands = "unknown" if saga is None else saga.state
                raise NotSoon(f"the saga {definition} of {key} is {stands} after {within_s:.0f} s")
            await asyncio.sleep(POLL_S)

    async def saga_history(self, definition: str, key: UUID) -> SagaHistory:
        """All that the key's saga has recorded."""
        answer = await self._saga(definition, key, "/history")
        assert answer is not None, f"there is no saga {definition} of {key}"
        return SagaHistory.of(json.loads(answer))

    # --- inside

    async def _saga(self, definition: str, key: UUID, part: str) -> bytes | None:
        http = self.operators(self._orchestrator())
        answer = await http.get(f"/sagas/{saga_id(definition, str(key))}{part}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return answer.raise_for_status().content

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
