"""Sagas under way are counted by their states, and those that only a person gets going."""

import pytest
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

    def of_a_person(self) -> tuple[float | None, ...]:
        """How many are stalled, stand behind a parked record, and need attention."""
        labels = {"definition": "place-order"}
        names = ("stalled", "parked", "needing_attention")
        return tuple(
            self._registry.get_sample_value(f"sagaline_sagas_{name}", labels) for name in names
        )


LATER = "now() + interval '1 hour'"


@pytest.fixture(autouse=True)
async def nothing_left(stage: Stage) -> None:
    """What other tests have left in the database has ended."""
    await stage.fetch("UPDATE saga SET status = 'COMPLETED', stalled = false, timer_at = NULL")


async def rewrite(stage: Stage, order: PlaceOrder, change: str, timer_at: str = LATER) -> None:
    """Its row says so, and stays so: no timer of the engine's comes in between."""
    await stage.fetch(
        f"UPDATE saga SET {change}, timer_at = {timer_at} WHERE saga_id = '{saga_of(order)}'"
    )


async def started(stage: Stage) -> PlaceOrder:
    order = await stage.place()
    await stage.command(order, "create_order")
    return order


async def test_where_no_saga_is_under_way_counts_are_zero(stage: Stage) -> None:
    count = await Count.of(stage)
    states = ("RUNNING", "COMMITTED", "COMPENSATING")
    assert [count.under_way(state) for state in states] == [0, 0, 0]
    assert count.of_a_person() == (0, 0, 0)


async def test_a_saga_is_counted_in_its_state_until_it_has_ended(stage: Stage) -> None:
    order = await started(stage)
    assert (await Count.of(stage)).under_way("RUNNING") == 1
    # Its timer stays for a while; what has ended is not under way for all that.
    await rewrite(stage, order, "status = 'COMPLETED'")
    assert (await Count.of(stage)).under_way("RUNNING") == 0


async def test_a_saga_that_asks_without_end_is_counted_as_stalled(stage: Stage) -> None:
    await rewrite(stage, await started(stage), "stalled = true")
    count = await Count.of(stage)
    assert (count.of_a_person(), count.under_way("RUNNING")) == ((1, 0, 0), 1)


async def test_a_saga_behind_a_parked_record_is_under_way_without_a_timer(stage: Stage) -> None:
    await rewrite(stage, await started(stage), "stalled = true", timer_at="NULL")
    count = await Count.of(stage)
    assert (count.of_a_person(), count.under_way("RUNNING")) == ((0, 1, 0), 1)


@pytest.mark.parametrize("timer_at", [LATER, "NULL"])
async def test_a_saga_that_needs_attention_is_counted_for_as_long_as_it_does(
    stage: Stage, timer_at: str
) -> None:
    await rewrite(stage, await started(stage), "status = 'NEEDS_ATTENTION'", timer_at)
    count = await Count.of(stage)
    assert (count.of_a_person(), count.under_way("RUNNING")) == ((0, 0, 1), 0)
