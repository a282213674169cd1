"""What the list of topics must not be, by itself and against the messages."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from sagaline.avro.catalog import Topic
from sagaline.avro.folder import Schema
from sagaline.avro.models import full_replies
from sagaline.avro.topic_source import family

PII = ("none", "pseudonymous")  # each class more personal than those before it
OUTSIDE = {"anyone", "operators"}  # readers that are none of the platform's services
OUTCOMES = {"succeeded", "refused", "undone", "undo_refused", "pending"}  # of business replies
PLATFORM = "sagaline."
ANSWERED_BY_PLATFORM = {"commands": "sagaline.Revoke", "replies": "sagaline.Notice"}


def topic_problems(topics: Collection[Topic], schemas: Mapping[str, Schema]) -> Iterator[str]:
    """What is wrong with the topics, and with messages that no topic carries."""
    counts = Counter(topic.partitions for topic in topics)
    usual = counts.most_common(1)[0][0] if counts else 0
    for topic in topics:
        yield from (f"{topic.name}: {problem}" for problem in _topic_problems(topic, schemas))
        if topic.partitions != usual:
            # A key would have another partition number here than elsewhere: reply topics of one
            # saga would no longer meet in one process of the orchestrator.
            yield f"{topic.name}: has {topic.partitions} partitions, the others have {usual}"
    yield from _carrier_problems(topics, schemas)
    yield from _dead_letter_problems(topics, schemas)
    carried = {name for topic in topics for name in topic.messages}
    for name, schema in schemas.items():
        if family_kind(schema["namespace"]) == "commands":
            problems = _command_problems(schema, schemas, carried)
            yield from (f"{name}: {problem}" for problem in problems)
    yield from _reply_problems(schemas)


def family_kind(namespace: str) -> str:
    """What a family is for: requests, commands, replies, events or dlq."""
    return namespace.rpartition(".")[2]


def _topic_problems(topic: Topic, schemas: Mapping[str, Schema]) -> Iterator[str]:
    yield from _broker_problems(topic)
    yield from _content_problems(topic, schemas)
    if topic.pii not in PII:
        yield f"pii is none of {', '.join(PII)}"
    elif topic.messages and topic.pii != pii(topic, schemas):
        yield f"pii is {topic.pii}, its messages' is {pii(topic, schemas)}"


def _broker_problems(topic: Topic) -> Iterator[str]:
    if not topic.owner or not topic.readers or topic.owner in topic.readers:
        yield "needs an owner, and readers beside it"
    if topic.cleanup_policy != "delete":
        yield "is compacted: that needs a tombstone with a meaning, and a rule here"


def _content_problems(topic: Topic, schemas: Mapping[str, Schema]) -> Iterator[str]:
    for name in topic.messages:
        if name.startswith(PLATFORM):
            continue
        if name.rpartition(".")[0] != family(topic.name):
            yield f"{name} is of another family"
        fields = {field["name"] for field in schemas.get(name, {}).get("fields", ())}
        if topic.key not in fields:
            yield f"{name} is no message with the key {topic.key}"
    own = ANSWERED_BY_PLATFORM.get(family_kind(family(topic.name)))
    if own is not None and own not in topic.messages:
        yield f"carries no {own}"


def pii(topic: Topic, schemas: Mapping[str, Schema]) -> str:
    """The most personal class that a field of the topic's messages declares, `sagaline.pii`."""
    fields = [
        field for name in topic.messages if name in schemas for field in schemas[name]["fields"]
    ]
    return max(
        (field.get("sagaline.pii", PII[0]) for field in fields), key=PII.index, default=PII[0]
    )


def _carrier_problems(topics: Collection[Topic], schemas: Mapping[str, Schema]) -> Iterator[str]:
    carriers = Counter(name for topic in topics for name in topic.messages)
    for name in schemas:
        if carriers[name] != 1:
            yield f"{name}: is on {carriers[name]} topics"


def _dead_letter_problems(
    topics: Collection[Topic], schemas: Mapping[str, Schema]
) -> Iterator[str]:
    """Each service that reads has one place for records that it set aside, and nobody else has."""
    reads = {reader for topic in topics for reader in topic.readers} - OUTSIDE
    dead = [topic for topic in topics if family_kind(family(topic.name)) == "dlq"]
    if sorted(topic.owner for topic in dead) != sorted(reads):
        yield f"dead-letter topics are owned by {[t.owner for t in dead]}, not by each of {reads}"
    for topic in topics:
        if (topic in dead) != (topic.messages == ()):
            yield f"{topic.name}: raw copies stand on dead-letter topics and only there"
    for topic in dead:
        copied = [pii(t, schemas) for t in topics if topic.owner in t.readers]
        if topic.pii != max(copied, key=PII.index, default=PII[0]):
            yield f"{topic.name}: pii is {topic.pii}, that of what may be copied is {copied}"


def _command_problems(
    command: Schema, schemas: Mapping[str, Schema], carried: set[str]
) -> Iterator[str]:
    replies = full_replies(command)
    outcomes = {schemas.get(name, {}).get("sagaline.outcome") for name in replies}
    if not outcomes & {"succeeded", "undone"}:
        yield "names no reply with which it is done"
    for name in replies:
        if name not in schemas or name not in carried:
            yield f"its reply {name} does not exist, or is on no topic"


def _reply_problems(schemas: Mapping[str, Schema]) -> Iterator[str]:
    expected = {name for schema in schemas.values() for name in full_replies(schema)}
    for name, schema in schemas.items():
        is_reply = family_kind(schema["namespace"]) == "replies"
        outcome = schema.get("sagaline.outcome")
        if is_reply and name not in expected:
            yield f"{name}: no command names this reply"
        if is_reply != (outcome in OUTCOMES):
            yield f"{name}: outcome {outcome}; replies have one of {sorted(OUTCOMES)}"
        fields = {field["name"]: field["type"] for field in schema["fields"]}
        if outcome in {"refused", "undo_refused"} and not (
            fields.get("code") == fields.get("detail") == "string"
        ):
            yield f"{name}: a refusal says why, in `code` and `detail`"
