"""What there is: topics by the catalog and by the broker, with who writes, who reads, how far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sagaline.chassis import messages as platform
from sagaline.chassis.catalog import Catalog, Topic
from sagaline.chassis.log_records import Span
from sagaline.local.topics.broker import Broker, GroupOffset

NOT_PERSONAL = "none"


@dataclass(frozen=True, slots=True)
class TopicLine:
    """One topic: `topic` is None where the catalog doesn't know it, `spans` where Kafka doesn't."""

    name: str
    topic: Topic | None
    spans: Mapping[int, Span] | None
    groups: Mapping[str, Sequence[GroupOffset]]

    @property
    def records(self) -> int | None:
        """Records between begin and end, gaps counted, too."""
        return None if self.spans is None else sum(len(span) for span in self.spans.values())

    @property
    def lags(self) -> dict[str, int]:
        """By group, records that it has yet to answer."""
        return {name: sum(each.lag for each in found) for name, found in self.groups.items()}


@dataclass(frozen=True, slots=True)
class TypeLine:
    """A message type of a topic: what it is for, its fingerprint, and its fields."""

    name: str
    doc: str
    fingerprint: str
    personal: Sequence[str]  # the fields with personal data


async def lines(broker: Broker, catalog: Catalog, groups: Sequence[str]) -> list[TopicLine]:
    """Give all topics: the catalog's in its order, then those that only the broker has."""
    partitions = await broker.topics()
    extents = await broker.extents(partitions)
    read = {group: await broker.offsets(group, extents) for group in groups}
    names = [*catalog.topics, *sorted(partitions.keys() - catalog.topics.keys())]
    return [
        TopicLine(
            name,
            catalog.topics.get(name),
            extents.get(name),
            {group: found[name] for group, found in read.items() if name in found},
        )
        for name in names
    ]


def types(topic: Topic, catalog: Catalog) -> Iterable[TypeLine]:
    """Give the message types of a topic, in the catalog's order."""
    own = {message.avro_name: message for message in platform.MESSAGES}
    for name in topic.messages:
        if name in own:
            message = own[name]
            yield TypeLine(name, message.__doc__ or "", message.fingerprint.hex(), ())
        else:
            schema = catalog.reader_schema(name)
            fingerprint = catalog.messages[name].fingerprint.hex()
            yield TypeLine(name, str(schema.get("doc", "")), fingerprint, _personal(schema))


def _personal(schema: Mapping[str, object]) -> list[str]:
    fields = schema.get("fields")
    assert isinstance(fields, list), schema
    return [f["name"] for f in fields if f.get("sagaline.pii", NOT_PERSONAL) != NOT_PERSONAL]
