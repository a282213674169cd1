"""Timers and messages: no timer outruns an answer, and what stays unanswered is undone."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

import asyncpg
import pytest

from sagaline.chassis.messages import Revoke
from sagaline.chassis.positions import Partition
from sagaline.engine.broker import Broker
from sagaline.engine.definitions import UnknownDefinition
from sagaline.engine.listing import Wanted
from schemas.messages import (
    OrderMarkedConfirmed,
    OrderMarkedRejected,
    PlaceOrder,
    StockReleased,
)
from tests.integration.engine.stage import Stage, saga_of, until, yes

SKIPPED = "sagaline_saga_timers_skipped_total"


async def test_a_command_that_the_participant_has_not_read_is_not_sent_again(
    stage: Stage,
) -> None:
    order = await stage.place()
    await stage.command(order, "create_order")

    async def delayed_three_times() -> bool:
        rows = await stage.fetch(
            "SELECT 1 FROM history WHERE saga_id = $1"
            " AND received->>'type' = 'Delayed' AND received->>'step' = 'create_order'",
            saga_of(order),
        )
        return len(rows) >= 3

    await until(delayed_three_times)
    saga = await stage.stands(order, create_order="QUEUED")
    assert saga.steps[0].attempts == 1
    assert len(stage.commands(order, "create_order")) == 1


async def test_steps_that_time_out_are_counted(stage: Stage) -> None:
    order = await stage.place()
    await stage.succeed(order, "create_order")
    await stage.stands(order, create_order="SUCCEEDED")
    await stage.command(order, "reserve_stock")
    await stage.answered("inventory")
    await stage.command(order, "reserve_stock", sendings=2)
    await stage.answered("inventory")
    await stage.command(order, "reserve_stock", direction="undo")
    kept = await stage.fetch(
        "SELECT count(*) FROM history WHERE saga_id = $1 AND received->>'type' = 'Delayed'"
        " AND received->>'step' = 'reserve_stock' AND received->>'direction' = 'action'",
        saga_of(order),
    )
    assert overdue(stage, "reserve_stock", "in_doubt") == 1
    assert overdue(stage, "reserve_stock", "delayed") >= kept[0][0]


async def test_a_command_that_was_read_and_stays_unanswered_is_sent_again(stage: Stage) -> None:
    order = await stage.place()
    first = await stage.command(order, "create_order")
    await stage.answered("orders")
    second = await stage.command(order, "create_order", sendings=2)
    assert second.envelope.id == first.envelope.id
    assert second.value == first.value
    await stage.succeed(order, "create_order", "reserve_stock")
    await stage.command(order, "authorize_payment")


async def test_a_step_in_doubt_is_undone_with_its_siblings(stage: Stage) -> None:
    order = await stage.place()
    await stage.succeed(order, "create_order")
    await stage.stands(order, create_order="SUCCEEDED")
    await stage.command(order, "reserve_stock")
    await stage.answered("inventory")  # it was read, and its reply is lost
    await stage.command(order, "reserve_stock", sendings=2)
    await stage.answered("inventory")
    undo = await stage.command(order, "reserve_stock", direction="undo")
    assert undo.envelope.action == "indoubt"
    await stage.notice(order, "reserve_stock", "undo_noop", "undo")
    rejected = await stage.command(order, "create_order", direction="undo")
    assert rejected.envelope.action == "done"
    await stage.reply(
        order, "create_order", OrderMarkedRejected(order_id=order.order_id), direction="undo"
    )
    saga = await stage.stands(
        order, state="COMPENSATING", reserve_stock="UNDO_NOOP", create_order="UNDONE"
    )
    assert (saga.verdict, saga.failed_step, saga.code) == (
        "compensated",
        "reserve_stock",
        "no_answer",
    )


async def test_a_late_success_does_not_keep_a_step_from_being_undone(stage: Stage) -> None:
    order = await stage.place()
    await stage.succeed(order, "create_order")
    await stage.command(order, "reserve_stock")
    await stage.answered("inventory")
    await stage.command(order, "reserve_stock", sendings=2)
    await stage.answered("inventory")
    await stage.command(order, "reserve_stock", direction="undo")
    await stage.reply(order, "reserve_stock", yes(order, "reserve_stock"))
    released = StockReleased(order_id=order.order_id)
    await stage.reply(order, "reserve_stock", released, direction="undo")
    await stage.stands(order, reserve_stock="UNDONE", create_order="UNDOING")


@pytest.mark.parametrize("happened", [True, False])
async def test_a_pivot_in_doubt_is_settled_by_a_revoke(stage: Stage, *, happened: bool) -> None:
    order = await stage.place()
    await stage.succeed(order, "create_order", "reserve_stock", "authorize_payment")
    await stage.command(order, "confirm_order")
    await stage.answered("orders")
    await stage.command(order, "confirm_order", sendings=2)
    await stage.answered("orders")
    revoke = await stage.command(order, "confirm_order", direction="revoke")
    assert isinstance(revoke.message, Revoke)
    await stage.stands(order, confirm_order="IN_DOUBT")
    if happened:
        confirmed = OrderMarkedConfirmed(order_id=order.order_id)
        await stage.reply(order, "confirm_order", confirmed)
        saga = await stage.stands(order, state="COMMITTED", confirm_order="SUCCEEDED")
        assert saga.verdict == "committed"
    else:
        await stage.notice(order, "confirm_order", "blocked", "action")
        await stage.stands(order, state="COMPENSATING", authorize_payment="UNDOING")


async def test_a_timer_waits_for_a_reply_that_is_in_the_log_but_not_handled(
    stage: Stage,
) -> None:
    order = await stage.place()
    await stage.succeed(order, "reserve_stock")
    await stage.stands(order, reserve_stock="SUCCEEDED")
    await stage.command(order, "create_order")
    connection = await _locked_positions(stage)
    try:
        await stage.reply(order, "create_order", yes(order, "create_order"))
        await stage.answered("orders")
        fenced = await until(lambda: _fence(stage, order))
        # Two attempts' time and more passes between these two looks; only the fence holds it.
        again = await until(lambda: _later(stage, order, fenced["timer_at"]))
        assert json.loads(again["fences"])
        assert len(stage.commands(order, "create_order")) == 1
    finally:
        await connection.close()
    saga = await stage.stands(order, create_order="SUCCEEDED")
    assert saga.steps[0].attempts == 1


async def test_no_timer_fires_while_an_input_of_the_order_is_parked(stage: Stage) -> None:
    order = await stage.place()
    await stage.command(order, "create_order")
    key = str(order.order_id).encode()
    await stage.producer.send_and_wait("orders.replies.v1", b"garbage", key=key)
    await stage.answered("orders")

    async def stalled() -> bool:
        saga = await stage.stands(order)
        return saga.steps[0].stalled

    await until(stalled)
    saga = await stage.saga(order)
    assert (saga.state, saga.steps[0].attempts) == ("RUNNING", 1)


async def test_no_timer_fires_for_an_order_whose_input_is_parked_while_its_fence_is_examined(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await stage.place()
    await stage.command(order, "create_order")
    key = str(order.order_id)
    ends = Broker.ends

    async def parked() -> bool:
        return bool(await stage.fetch("SELECT 1 FROM sagaline.parked WHERE key = $1", key))

    async def parked_meanwhile(
        broker: Broker, partitions: Collection[Partition]
    ) -> dict[Partition, int]:
        if any(topic == "orders.replies.v1" for topic, _ in partitions) and not await parked():
            await stage.producer.send_and_wait("orders.replies.v1", b"garbage", key=key.encode())
            await until(parked)
        return await ends(broker, partitions)

    monkeypatch.setattr(Broker, "ends", parked_meanwhile)
    await stage.answered("orders")

    async def stalled() -> bool:
        return (await stage.saga(order)).steps[0].stalled

    await until(stalled)
    saga = await stage.saga(order)
    assert (saga.state, saga.steps[0].attempts) == ("RUNNING", 1)


def overdue(stage: Stage, step: str, how: str) -> float:
    """So many steps of this name were counted as overdue, in this way."""
    found = stage.running.metrics.get_sample_value(
        "sagaline_saga_steps_overdue_total", {"definition": "place-order", "step": step, "as": how}
    )
    return found or 0


async def retire(stage: Stage, order: PlaceOrder) -> None:
    """The order's saga runs by a definition of a release that is not deployed any more."""
    # Under another version of the row, so that nobody remembers the saga as it was.
    await stage.fetch(
        "UPDATE saga SET definition = 'retired', version = version + 1 WHERE saga_id = $1",
        saga_of(order),
    )


async def test_a_saga_whose_definition_is_not_here_stops_no_timers_but_its_own(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    retired = await stage.place()
    await stage.command(retired, "create_order")
    await retire(stage, retired)

    def skipped() -> float:
        labels = {"definition": "retired", "version": "1"}
        return stage.running.metrics.get_sample_value(SKIPPED, labels) or 0

    async def skipped_twice() -> bool:
        await stage.fetch("UPDATE saga SET timer_at = now() WHERE saga_id = $1", saga_of(retired))
        return skipped() >= 2

    await until(skipped_twice)
    order = await stage.place()
    await stage.command(order, "create_order")
    await stage.answered("orders")
    await stage.command(order, "create_order", sendings=2)
    told = [line.msg for line in caplog.records if isinstance(line.msg, dict)]
    (line,) = [each for each in told if each["event"] == "timers skipped"]
    assert "deploy the release that defines it" in line["reason"]
    rows = await stage.fetch(
        "SELECT timer_at > now() FROM saga WHERE saga_id = $1", saga_of(retired)
    )
    assert [row[0] for row in rows] == [True]


async def test_a_saga_whose_definition_is_not_here_is_listed_and_keeps_nobody_from_being_seen(
    stage: Stage,
) -> None:
    retired, order = await stage.place(), await stage.place()
    for each in (retired, order):
        await stage.command(each, "create_order")
    await retire(stage, retired)
    lines = await stage.engine.page(stage.running.database, Wanted(), limit=100)
    states = {line.key: (line.definition, line.state) for line in lines}
    assert states[str(retired.order_id)] == ("retired", "RUNNING")
    assert states[str(order.order_id)] == ("place-order", "RUNNING")
    with pytest.raises(UnknownDefinition, match="deploy the release that defines it") as unknown:
        await stage.saga(retired)
    assert unknown.value.status == 409, "no fault of this service, nor of who asks"


async def test_a_reply_to_a_saga_whose_definition_is_not_here_is_parked(stage: Stage) -> None:
    retired = await stage.place()
    await stage.command(retired, "create_order")
    await retire(stage, retired)
    await stage.reply(retired, "create_order", yes(retired, "create_order"))

    async def parked() -> list[str]:
        key = str(retired.order_id)
        rows = await stage.fetch("SELECT error_class FROM sagaline.parked WHERE key = $1", key)
        return [row["error_class"] for row in rows]

    assert await until(parked) == ["UnknownDefinition"]


async def _locked_positions(stage: Stage) -> "asyncpg.Connection[asyncpg.Record]":
    """A session that keeps the orchestrator from handling anything until it is closed."""
    connection = await asyncpg.connect(stage.database_url)
    await connection.execute("BEGIN")
    await connection.execute("SELECT 1 FROM sagaline.positions FOR UPDATE")
    return connection


async def _fence(stage: Stage, order: PlaceOrder) -> "asyncpg.Record | None":
    rows = await stage.fetch("SELECT timer_at, fences FROM saga WHERE saga_id = $1", saga_of(order))
    return rows[0] if rows and "reply_end" in rows[0]["fences"] else None


async def _later(stage: Stage, order: PlaceOrder, than: datetime) -> "asyncpg.Record | None":
    fence = await _fence(stage, order)
    return fence if fence and fence["timer_at"] > than + timedelta(seconds=2) else None
