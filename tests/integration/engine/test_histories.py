"""Histories: what was accepted, from which everything else can be had again."""

from collections.abc import Iterable

from saga_orchestrator.sagas.place_order import PLACE_ORDER
from saga_orchestrator.service import limited
from saga_orchestrator.settings import OrchestratorSettings
from sagaline.engine.history import Entry, decided_again, folded
from sagaline.engine.state import new_saga
from schemas.messages import OrderMarkedRejected, PlaceOrder, StockRefused
from tests.integration.engine.stage import Stage, saga_of, until, yes


async def refused(stage: Stage) -> PlaceOrder:
    """An order that is refused by inventory, rejected, and waits for its notification."""
    order = await stage.place()
    await stage.succeed(order, "create_order")
    await stage.stands(order, create_order="SUCCEEDED")  # two topics: the no could be read first
    no = StockRefused(order_id=order.order_id, sku="LAMP", code="out_of_stock", detail="None left.")
    await stage.reply(order, "reserve_stock", no)
    await stage.command(order, "create_order", direction="undo")
    await stage.reply(
        order, "create_order", OrderMarkedRejected(order_id=order.order_id), direction="undo"
    )
    await stage.stands(order, create_order="UNDONE", send_rejection="WAITING")
    return order


def heard(entries: Iterable[Entry]) -> list[str]:
    """What messages have told the saga; nobody reads commands here, so timers may say Delayed."""
    names = [type(entry.received).__name__ for entry in entries]
    return [name for name in names if name != "Delayed"]


async def test_folding_a_history_gives_the_row_and_deciding_it_again_the_events(
    stage: Stage, settings: OrchestratorSettings
) -> None:
    order = await refused(stage)
    history = await stage.engine.history(stage.running.database, saga_of(order))
    entries = [row.entry for row in history]
    assert heard(entries) == ["Started", "Succeeded", "Refused", "Undone"]
    fresh = new_saga(
        limited(PLACE_ORDER, settings), saga_id=saga_of(order), key=str(order.order_id)
    )
    stored = await stage.state(order)
    assert folded(fresh, entries) == stored
    assert decided_again(fresh, entries) == stored


async def test_every_message_twice_moves_the_saga_once(stage: Stage) -> None:
    order = await stage.place()
    await stage.publish("orders.requests.v1", order, order, source="/gateway_service")
    for _ in range(2):
        await stage.succeed(order, "create_order", "reserve_stock")
    await stage.command(order, "authorize_payment")
    await stage.succeed(order, "authorize_payment")
    await stage.command(order, "confirm_order")
    history = await stage.engine.history(stage.running.database, saga_of(order))
    names = heard(row.entry for row in history)
    assert names == ["Started", "Succeeded", "Succeeded", "Succeeded"]
    assert len(stage.commands(order, "authorize_payment")) == 1


async def test_a_late_reply_is_kept_in_the_history_and_changes_nothing(stage: Stage) -> None:
    order = await refused(stage)
    before = await stage.saga(order)
    await stage.reply(order, "reserve_stock", yes(order, "reserve_stock"))

    async def kept() -> bool:
        history = await stage.engine.history(stage.running.database, saga_of(order))
        return len(heard(row.entry for row in history)) == 5

    await until(kept)
    after = await stage.saga(order)
    assert (after.state, after.steps) == (before.state, before.steps)


async def test_snapshots_of_an_order_are_numbered_without_a_gap(stage: Stage) -> None:
    order = await refused(stage)
    saga = await stage.saga(order)

    async def all_read() -> bool:
        await stage.read()
        return len(stage.snapshots(order)) >= saga.sequence

    await until(all_read)
    snapshots = stage.snapshots(order)
    assert [shot.sequence for shot in snapshots] == list(range(1, len(snapshots) + 1))
    assert [shot.verdict for shot in snapshots][-1] == "compensated"
    assert snapshots[-1].code == "out_of_stock"
