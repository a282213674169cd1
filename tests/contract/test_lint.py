"""Each rule for schemas and topics finds what breaks it."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import schemas
from sagaline.avro.folder import Avro, Schema
from sagaline.avro.lint import folder_problems, schema_problems
from sagaline.avro.topic_lint import topic_problems

from .sources import OWN, STRING, array, field, folder, record


@pytest.mark.parametrize(
    "schema, problem",
    [
        (record(STRING, name="x.y.Other"), "named x.y.Other"),
        (record(STRING, name="Thing"), "named None.Thing"),
        (record(STRING, doc=""), "Thing has no doc"),
        (record({"name": "text", "type": "string"}), "Thing.text has no doc"),
        (record(field("items", array(record(name="x.y.In", doc="")))), "In has no doc"),
        (record(field("price_minor", "long")), "beside or inside of its currency"),
        (record(field("price_minor", "double"), field("currency", "string")), "is money"),
        (record(field("sent_at", "long")), "is a time"),
        (record(field("sent_at", ["null", "long"])), "is a time"),
        (record(field("items", "x.y.Unknown")), "is no Avro schema"),
    ],
)
def test_a_schema_that_breaks_a_rule(schema: Schema, problem: str) -> None:
    assert problem in "\n".join(schema_problems(schema, "x.y.Thing"))


def test_a_price_may_lie_inside_of_its_currency() -> None:
    line = record(field("price_minor", "long"), name="x.y.Line")
    priced = record(field("lines", array(line)), field("currency", "string"))
    assert list(schema_problems(priced, "x.y.Thing")) == []


@pytest.mark.parametrize(
    "items",
    [
        "null",
        record(name="x.y.Empty"),
        record(field("nothing", "null"), name="x.y.Nothing"),
        {"type": "fixed", "name": "x.y.None", "size": 0},
    ],
)
def test_an_array_of_nothing(items: Avro, tmp_path: Path) -> None:
    for at, avro in enumerate((array(items), ["null", array(items)])):
        problems = folder_problems(folder(tmp_path / str(at), record(field("items", avro))))
        assert "items of no bytes" in "\n".join(problems)


@pytest.mark.parametrize("again", [["null", "x.y.Thing"], array("x.y.Thing")])
def test_a_record_inside_of_itself(again: Avro, tmp_path: Path) -> None:
    problems = list(folder_problems(folder(tmp_path, record(field("again", again)))))
    assert problems == ["x.y.Thing: x.y.Thing is inside of itself"]


def test_a_danger_in_an_old_version_still_counts(tmp_path: Path) -> None:
    hostile = field("items", array("null")) | {"default": []}
    problems = folder_problems(folder(tmp_path, record(STRING), record(STRING, hostile)))
    assert "items of no bytes" in "\n".join(problems)


def test_a_message_without_an_example(tmp_path: Path) -> None:
    made = folder(tmp_path, record(STRING))
    (made.examples / "x.y.Thing.json").unlink()
    assert "an example without a schema" in "\n".join(folder_problems(made))


def topics(name: str, **changed: Any) -> Iterator[str]:
    """The problems of our topics with one changed."""
    found = {**schemas.CATALOG.topics, name: replace(schemas.CATALOG.topics[name], **changed)}
    return topic_problems(found.values(), OWN.schemas())


@pytest.mark.parametrize(
    "changed, problem",
    [
        ({"owner": ""}, "needs an owner"),
        ({"readers": ()}, "needs an owner, and readers"),
        ({"partitions": 6}, "has 6 partitions, the others have 12"),
        ({"cleanup_policy": "compact"}, "is compacted"),
        ({"key": "sku"}, "no message with the key sku"),
        ({"messages": ("inventory.commands.ReserveStock",)}, "carries no sagaline.Revoke"),
        ({"messages": ("orders.commands.CreateOrder", "sagaline.Revoke")}, "is of another family"),
        ({"messages": ("inventory.commands.Gone", "sagaline.Revoke")}, "Gone is no message"),
        ({"messages": ("sagaline.Revoke",)}, "CommitStock: is on 0 topics"),
        ({"messages": ()}, "raw copies stand on dead-letter topics and only there"),
        ({"pii": "secret"}, "pii is none of"),
        ({"pii": "pseudonymous"}, "its messages' is none"),
        ({"readers": ("somebody_new",)}, "dead-letter topics are owned by"),
    ],
)
def test_a_topic_that_breaks_a_rule(changed: dict[str, object], problem: str) -> None:
    assert problem in "\n".join(topics("inventory.commands.v1", **changed))


def test_a_dead_letter_topic_is_as_personal_as_what_is_copied_there() -> None:
    assert "pii is none" in "\n".join(topics("payments.dlq.v1", pii="none"))


def _no_replies(sources: dict[str, Schema]) -> None:
    del sources["inventory.commands.CommitStock"]["sagaline.replies"]


def _unknown_reply(sources: dict[str, Schema]) -> None:
    sources["inventory.commands.CommitStock"]["sagaline.replies"] = ["StockGone"]


def _no_outcome(sources: dict[str, Schema]) -> None:
    del sources["inventory.replies.StockCommitted"]["sagaline.outcome"]


def _odd_outcome(sources: dict[str, Schema]) -> None:
    sources["inventory.replies.StockCommitted"]["sagaline.outcome"] = "maybe"


def _outcome_of_a_command(sources: dict[str, Schema]) -> None:
    sources["inventory.commands.CommitStock"]["sagaline.outcome"] = "succeeded"


def _silent_refusal(sources: dict[str, Schema]) -> None:
    fields = sources["inventory.replies.StockRefused"]["fields"]
    fields[:] = [field for field in fields if field["name"] != "code"]


@pytest.mark.parametrize(
    "spoil, problem",
    [
        (_no_replies, "CommitStock: names no reply with which it is done"),
        (_no_replies, "StockCommitted: no command names this reply"),
        (_unknown_reply, "inventory.replies.StockGone does not exist"),
        (_no_outcome, "StockCommitted: outcome None"),
        (_odd_outcome, "StockCommitted: outcome maybe"),
        (_outcome_of_a_command, "CommitStock: outcome succeeded"),
        (_silent_refusal, "a refusal says why"),
    ],
)
def test_commands_and_replies_that_do_not_fit(
    spoil: Callable[[dict[str, Schema]], None], problem: str
) -> None:
    sources = copy.deepcopy(OWN.schemas())
    spoil(sources)
    found = topic_problems(list(schemas.CATALOG.topics.values()), sources)
    assert problem in "\n".join(found)
