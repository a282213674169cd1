"""The AsyncAPI 3 document of a platform: every topic, message, writer and reader of its catalog."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from sagaline.chassis.catalog import Catalog, Topic
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import CONTENT_TYPE, SPEC_VERSION
from sagaline.chassis.messages import MESSAGES

Json: TypeAlias = dict[str, Any]

VERSION: Final = "3.0.0"
AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
BINDING: Final = {"bindingVersion": "0.5.0"}

TEXT: Final = {"type": "string"}
HEADERS: Final[Mapping[str, Json]] = {
    "ce_specversion": {"const": SPEC_VERSION, "description": "CloudEvents' version."},
    "ce_id": {**TEXT, "format": "uuid", "description": "Its identity, the same on every resend."},
    "ce_type": {**TEXT, "description": "Full name of the Avro record."},
    "ce_source": {**TEXT, "description": "The service that sends it, as /order_service."},
    "ce_subject": {**TEXT, "description": "The record's key once more."},
    "ce_time": {**TEXT, "format": "date-time", "description": "When its outbox row was written."},
    "content-type": {"const": CONTENT_TYPE, "description": "Single-object encoding."},
    "traceparent": {**TEXT, "description": "W3C trace context."},
    "ce_sagaid": {**TEXT, "format": "uuid", "description": "The saga it belongs to."},
    "ce_sagastep": {**TEXT, "description": "The saga's step."},
    "ce_sagadirection": {"enum": ["action", "undo", "revoke"], "description": "What is asked for."},
    "ce_sagageneration": {**TEXT, "pattern": "^[0-9]+$", "description": "An operator's retry."},
    "ce_sagaaction": {"enum": ["done", "indoubt"], "description": "Of an undo: what is undone."},
    "ce_sagaoutcome": {**TEXT, "description": "Of a reply: succeeded, refused, undone, …"},
    "ce_causationid": {**TEXT, "format": "uuid", "description": "ce_id of what caused it."},
}
REQUIRED: Final = tuple(HEADERS)[:7]


def document(
    catalog: Catalog, *, title: str, version: str, kafka: str, example: Callable[[str], Json]
) -> Json:
    """Give the document, as plain data; `version` is that of the platform's own release.

    `kafka` is its address where nobody says another, `example` gives one of a message's values.
    """
    topics = list(catalog.topics.values())
    carried = {name for topic in topics for name in topic.messages}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": title,
            "version": version,
            "description": "Records are CloudEvents 1.0 in Kafka's binary mode. Values are Avro in "
            "single-object encoding; keys are texts, placed by murmur2.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"kafka": _server(kafka)},
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(_operations(catalog, topics)),
        "components": {
            "messages": dict(_messages(catalog, carried, example)),
            "schemas": {"Headers": _headers()},
        },
    }


def _server(kafka: str) -> Json:
    variable = {"default": kafka, "description": "The embedded Kafka's, or your own cluster's."}
    return {"host": "{bootstrap}", "protocol": "kafka", "variables": {"bootstrap": variable}}


def _channel(topic: Topic) -> Json:
    kafka = {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": {
            "cleanup.policy": topic.cleanup_policy.split(","),
            "retention.ms": topic.retention_ms,
        },
        **BINDING,
    }
    return {
        "address": topic.name,
        "description": f"Written by {topic.owner} alone. Its key is {topic.key}; "
        f"personal data: {topic.pii}.",
        "messages": {name: _ref("components", "messages", name) for name in topic.messages},
        "tags": [{"name": f"owner:{topic.owner}"}, {"name": f"pii:{topic.pii}"}],
        "bindings": {"kafka": kafka},
    }


def _operations(catalog: Catalog, topics: Iterable[Topic]) -> Iterator[tuple[str, Json]]:
    for topic in topics:
        channel = {"channel": _ref("channels", topic.name)}
        yield f"{topic.owner}.send.{topic.name}", {"action": "send", **channel}
        for reader in topic.readers:
            operation: Json = {"action": "receive", **channel}
            if replies := _replies(catalog, topic):
                operation["reply"] = replies
            group = {"groupId": {"type": "string", "const": reader}, **BINDING}
            yield f"{reader}.receive.{topic.name}", {**operation, "bindings": {"kafka": group}}


def _replies(catalog: Catalog, topic: Topic) -> Json | None:
    """What the commands on the topic are answered with, and where."""
    kinds = [catalog.messages[name] for name in topic.messages if name in catalog.messages]
    names = sorted({reply for kind in kinds for reply in kind.replies})
    if not names:
        return None
    answers = catalog.topic_of(names[0])
    return {
        "channel": _ref("channels", answers.name),
        "messages": [_ref("channels", answers.name, "messages", name) for name in names],
    }


def _messages(
    catalog: Catalog, carried: Collection[str], example: Callable[[str], Json]
) -> Iterator[tuple[str, Json]]:
    codec = Codec(catalog)
    kinds = {kind.avro_name: kind for kind in MESSAGES} | dict(catalog.messages)
    for name in sorted(carried):
        schema = json.loads(codec.schema_text(kinds[name].fingerprint))
        yield (
            name,
            {
                "name": name,
                "title": name.rpartition(".")[2],
                "summary": schema["doc"],
                "contentType": CONTENT_TYPE,
                "headers": _ref("components", "schemas", "Headers"),
                "payload": {"schemaFormat": AVRO, "schema": schema},
                "examples": [{"payload": example(name)}],
            },
        )


def _headers() -> Json:
    return {"type": "object", "required": list(REQUIRED), "properties": dict(HEADERS)}


def _ref(*path: str) -> Json:
    return {"$ref": "#/" + "/".join(path)}
