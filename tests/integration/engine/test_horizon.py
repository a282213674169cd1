"""An order from before the horizon starts nothing: its saga may have been here, and gone."""

from datetime import UTC, datetime, timedelta

import pytest

from sagaline.engine.assembly import SagaNotFound
from tests.integration.engine.stage import Stage, placed, until

COUNTED = "sagaline_saga_starts_beyond_horizon_total"


async def test_an_order_from_before_the_horizon_starts_no_saga(stage: Stage) -> None:
    order, long_ago = placed(), datetime.now(UTC) - timedelta(days=31)
    await stage.publish("orders.requests.v1", order, order, source="/gateway", time=long_ago)

    async def counted() -> bool:
        found = stage.running.metrics.get_sample_value(COUNTED, {"definition": "place-order"})
        return found == 1

    await until(counted)
    with pytest.raises(SagaNotFound):
        await stage.saga(order)
    await stage.read()
    assert not [record for record in stage.seen if record.key == str(order.order_id)]


async def test_an_order_from_before_the_horizon_does_not_harm_its_running_saga(
    stage: Stage,
) -> None:
    order = await stage.place()
    await stage.command(order, "create_order")
    before = await stage.state(order)
    long_ago = datetime.now(UTC) - timedelta(days=31)
    await stage.publish("orders.requests.v1", order, order, source="/gateway", time=long_ago)
    await stage.succeed(order, "create_order", "reserve_stock")
    await stage.command(order, "authorize_payment")
    after = await stage.state(order)
    assert after.started_at == before.started_at
    assert len(stage.commands(order, "create_order")) == 1
