"""Steps side by side before the pivot: one is refused while nobody has heard of the other."""

from schemas.messages import OrderMarkedRejected, StockRefused
from tests.integration.engine.stage import Stage, yes


async def test_a_sibling_that_waits_is_undone_where_and_after_it_was_asked_for(
    stage: Stage,
) -> None:
    order = await stage.place()
    action = await stage.command(order, "create_order")
    no = StockRefused(order_id=order.order_id, sku="LAMP", code="out_of_stock", detail="None left.")
    await stage.reply(order, "reserve_stock", no)
    undo = await stage.command(order, "create_order", direction="undo")
    assert undo.envelope.action == "indoubt"
    # The participant reads a partition in order: it has decided on the action by then.
    assert (undo.topic, undo.partition) == (action.topic, action.partition)
    assert undo.offset > action.offset

    await stage.reply(order, "create_order", yes(order, "create_order"))
    rejected = OrderMarkedRejected(order_id=order.order_id)
    await stage.reply(order, "create_order", rejected, direction="undo")
    saga = await stage.stands(
        order, state="COMPENSATING", create_order="UNDONE", reserve_stock="FAILED"
    )
    assert (saga.failed_step, saga.code) == ("reserve_stock", "out_of_stock")
    await stage.command(order, "send_rejection")
    assert stage.commands(order, "reserve_stock", direction="undo") == []
