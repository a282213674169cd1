"""Sagas under way are counted by their states, with zeros, and what has ended is not."""

from prometheus_client import CollectorRegistry

from sagaline.engine.counting import Counting
from schemas.messages import PlaceOrder
from tests.integration.engine.stage import Stage, saga_of


class Count:
    """One look at the sagas of the stage's database."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    @classmethod
    async def of(cls, stage: Stage) -> "Count":
        registry = CollectorRegistry()
        running = stage.running
        await Counting(("place-order",), running.database, registry, running.log).count()
        return cls(registry)

    def under_way(self, state: str) -> float | None:
        labels = {"definition": "place-order", "state": state}
        return self._registry.get_sample_value("sagaline_sagas_under_way", labels)

    @property
    def stalled(self) -> float | None:
        labels = {"definition": "place-order"}
        return self._registry.get_sample_value("sagaline_sagas_stalled", labels)


async def rewrite(stage: Stage, order: PlaceOrder, change: str) -> None:
    """Its row says so, and stays so: no timer of the engine's comes in between."""
    later = "timer_at = now() + interval '1 hour'"
    await stage.fetch(f"UPDATE saga SET {change}, {later} WHERE saga_id = '{saga_of(order)}'")


async def test_where_no_saga_is_under_way_counts_are_zero(stage: Stage) -> None:
    count = await Count.of(stage)
    states = ("RUNNING", "COMMITTED", "COMPENSATING")
    assert [count.under_way(state) for state in states] == [0, 0, 0]
    assert count.stalled == 0


async def test_a_saga_is_counted_in_its_state_until_it_has_ended(stage: Stage) -> None:
    order = await stage.place()
    await stage.command(order, "create_order")
    assert (await Count.of(stage)).under_way("RUNNING") == 1
    # Its timer stays for a while; what has ended is not under way for all that.
    await rewrite(stage, order, "status = 'COMPLETED'")
    assert (await Count.of(stage)).under_way("RUNNING") == 0


async def test_a_saga_that_asks_without_end_is_counted_as_stalled(stage: Stage) -> None:
    order = await stage.place()
    await stage.command(order, "create_order")
    await rewrite(stage, order, "stalled = true")
    count = await Count.of(stage)
    assert (count.stalled, count.under_way("RUNNING")) == (1, 1)
