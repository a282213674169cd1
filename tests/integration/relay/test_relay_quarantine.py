"""Rows that Kafka never takes: they step aside, their sagas hear it, other keys flow."""

from dataclasses import replace
from uuid import uuid4

from sagaline.chassis.envelope import reply_id
from tests.integration.relay.stage import (
    LIMITS,
    Writer,
    create_topic,
    eventually,
    first_values,
    is_,
    log_of,
    new_relay,
    running,
)


async def test_a_row_too_large_for_its_topic_is_quarantined_with_its_key_and_others_flow(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    small = f"{topic}.small"
    await create_topic(kafka_bootstrap, small, partitions=1, settings={"max.message.bytes": "1000"})
    await writer.write("good", "1", topic=small)
    await writer.write("bad", "1", topic=small)
    await writer.write("bad", "x" * 5_000, topic=small)
    await writer.write("good", "2", topic=small)
    await writer.write("other", "1", topic=topic)
    async with running(new_relay(database_url, kafka_bootstrap)):
        await eventually(
            lambda: is_(writer.quarantined(), ["bad"]), within_s=20, what="quarantined"
        )
        await writer.write("bad", "3", topic=topic)
        await writer.write("good", "3", topic=small)
        await eventually(
            lambda: is_(writer.quarantined(), ["bad", "bad"]),
            within_s=20,
            what="what follows is quarantined with it",
        )
        await eventually(
            lambda: is_(writer.waiting(), [("bad", "x" * 5_000), ("bad", "3")]),
            within_s=20,
            what="everything else is published",
        )
    sent = await log_of(kafka_bootstrap, small, partitions=1)
    assert first_values(sent) == {"good": ["1", "2", "3"], "bad": ["1"]}


async def test_a_quarantined_reply_tells_its_saga_that_the_step_is_parked(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    replies = "inventory.replies.v1"  # its owner in the catalog is this relay's service
    await create_topic(
        kafka_bootstrap, replies, partitions=1, settings={"max.message.bytes": "1500"}
    )
    command, key = uuid4(), str(uuid4())
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": "inventory.replies.StockReserved",
        "ce_source": "/inventory_service",
        "ce_subject": key,
        "ce_time": "2026-01-01T00:00:00Z",
        "ce_sagaid": str(uuid4()),
        "ce_sagastep": "reserve_stock",
        "ce_sagadirection": "action",
        "ce_sagageneration": "3",
        "ce_sagaoutcome": "succeeded",
        "ce_causationid": str(command),
    }
    later = headers | {"ce_sagastep": "commit_stock", "ce_causationid": str(uuid4())}
    await writer.write(key, "x" * 5_000, topic=replies, headers=headers)
    async with running(new_relay(database_url, kafka_bootstrap)):
        await eventually(lambda: is_(writer.quarantined(), [key]), within_s=20, what="quarantined")
        await writer.write(key, "fits", topic=replies, headers=later)
        await eventually(
            lambda: is_(writer.quarantined(), [key, key]), within_s=20, what="and what follows"
        )
        await eventually(lambda: is_(writer.count(), 2), within_s=20, what="notices are published")
    notices = await log_of(kafka_bootstrap, replies, partitions=1)
    assert [notice.headers["ce_sagastep"] for notice in notices] == [
        "reserve_stock",
        "commit_stock",
    ]
    notice = notices[0]
    assert notice.key == key
    assert notice.headers["ce_type"] == "sagaline.Notice"
    assert notice.headers["ce_id"] == str(reply_id(command, "parked"))
    same = {"ce_sagaid", "ce_sagastep", "ce_sagadirection", "ce_sagageneration", "ce_causationid"}
    assert {name: notice.headers[name] for name in same} == {name: headers[name] for name in same}
    assert notice.headers["ce_sagaoutcome"] == "parked"


async def test_a_topic_that_comes_late_gets_its_rows_and_holds_up_nobody(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    limits = replace(LIMITS, unpublishable_tries_max=1_000)
    async with running(new_relay(database_url, kafka_bootstrap, limits=limits)):
        await writer.write("early", "1", "2", topic=f"{topic}.late")
        await writer.write("other", "1")
        await eventually(
            lambda: is_(writer.waiting(), [("early", "1"), ("early", "2")]),
            within_s=20,
            what="others flow",
        )
        await create_topic(kafka_bootstrap, f"{topic}.late")
        await writer.emptied()
    sent = await log_of(kafka_bootstrap, f"{topic}.late")
    assert [record.value for record in sent] == ["1", "2"]


async def test_rows_of_a_topic_that_never_comes_are_quarantined(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    async with running(new_relay(database_url, kafka_bootstrap)):
        await writer.write("lost", "1", "2", topic=f"{topic}.never")
        await writer.write("kept", "1")
        await eventually(
            lambda: is_(writer.quarantined(), ["lost", "lost"]), within_s=20, what="quarantined"
        )
        await writer.write("kept", "2")
        await eventually(lambda: is_(writer.count(), 2), within_s=20, what="others flow")


async def test_a_copy_that_no_topic_takes_holds_nobody_back_and_tells_nobody(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    reply = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": "inventory.replies.StockReserved",
        "ce_source": "/inventory_service",
        "ce_subject": "order",
        "ce_time": "2026-01-01T00:00:00Z",
        "ce_sagaid": str(uuid4()),
        "ce_sagastep": "reserve_stock",
        "ce_sagadirection": "action",
        "ce_sagageneration": "1",
        "ce_sagaoutcome": "succeeded",
        "ce_causationid": str(uuid4()),
    }
    copy = reply | {"sagaline-origin": "inventory.replies.v1/0/7"}
    letters = f"{topic}.dlq"  # which nobody has created
    async with running(new_relay(database_url, kafka_bootstrap)):
        await writer.write("order", "a copy", topic=letters, headers=copy)
        await eventually(
            lambda: is_(writer.quarantined(), ["order"]), within_s=20, what="quarantined"
        )
        await writer.write("order", "1", "2")
        await eventually(
            lambda: is_(writer.waiting(), [("order", "a copy")]),
            within_s=20,
            what="what follows is sent, and no notice waits",
        )
    sent = await log_of(kafka_bootstrap, topic)
    assert first_values(sent) == {"order": ["1", "2"]}
