"""Snapshots become what customers see, whatever their order, number and company."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from gateway_service import handlers, repository
from sagaline.chassis.envelope import Envelope, Record
from sagaline.chassis.messages import SagaSnapshot
from sagaline.chassis.saga_steps import STEPS, SnapshotStep, StepProgress
from tests.integration.gateway.stage import Gateway

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAGA = UUID(int=7)


def begun(name: str, status: str) -> SnapshotStep:
    ended_at = NOON + timedelta(microseconds=1) if status == "SUCCEEDED" else None
    progress = StepProgress(
        status=status,
        direction="action",
        attempts=1,
        started_at=NOON,
        ended_at=ended_at,
    )
    return SnapshotStep(name=name, kind="compensatable", progress=progress)


def planned(name: str) -> SnapshotStep:
    return SnapshotStep(name=name, kind="compensatable")


def text(*steps: SnapshotStep) -> str:
    return STEPS.dump_json(steps).decode()


def snapshot(order: str, sequence: int, **changes: object) -> SagaSnapshot:
    first = SagaSnapshot(
        saga_id=SAGA,
        key=order,
        definition="place-order",
        definition_version=1,
        sequence=sequence,
        state="RUNNING",
        verdict="open",
        code=None,
        detail=None,
        failed_step=None,
        steps=text(begun("create_order", "SUCCEEDED"), planned("reserve_stock")),
        started_at=NOON,
        updated_at=NOON + timedelta(seconds=sequence),
    )
    return first.model_copy(update=changes)


def course(order: str) -> list[SagaSnapshot]:
    """An order's snapshots, from its saga's start to its end."""
    return [
        snapshot(order, 1),
        snapshot(order, 2),
        snapshot(order, 3, state="COMMITTED", verdict="committed"),
        snapshot(order, 4, state="COMPLETED", verdict="committed"),
    ]


async def project(gateway: Gateway, *snapshots: SagaSnapshot, at: datetime = NOON) -> None:
    records = [record(offset, each) for offset, each in enumerate(snapshots)]
    async with gateway.running.database.transaction() as tx:
        assert await handlers.projection(lambda: at, gateway.news.tell)(tx, records) == []


def record(offset: int, message: SagaSnapshot) -> Record:
    envelope = Envelope(
        id=uuid5(SAGA, str(message.sequence)),
        type=message.avro_name,
        source="/saga_orchestrator",
        subject=message.key,
        time=NOON,
    )
    return Record("sagas.events.v1", 0, offset, message.key, envelope, message, b"")


async def placed(gateway: Gateway) -> str:
    return str((await gateway.post()).json()["order_id"])


async def shown(gateway: Gateway, order: str, of: str = "") -> dict[str, Any]:
    answer = await gateway.client.get(f"/orders/{order}{of}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def sequences(gateway: Gateway, orders: Sequence[str]) -> list[int]:
    return [(await shown(gateway, order))["saga"]["sequence"] for order in orders]


async def test_an_order_is_pending_and_its_saga_requested_before_any_snapshot(
    gateway: Gateway,
) -> None:
    order = await placed(gateway)
    body = await shown(gateway, order)
    assert datetime.fromisoformat(body.pop("placed_at")).tzinfo is not None
    assert body == {
        "order_id": order,
        "customer_id": "c-1",
        "currency": "EUR",
        "lines": [{"sku": "LAMP", "quantity": 1}],
        "status": "PENDING",
        "reason": None,
        "ended_at": None,
        "saga": None,
        "links": {"self": f"/orders/{order}", "saga": f"/orders/{order}/saga"},
    }
    saga = await shown(gateway, order, "/saga")
    assert (saga["state"], saga["sequence"], saga["steps"]) == ("REQUESTED", 0, [])


async def test_an_unknown_order_is_a_404(gateway: Gateway) -> None:
    for path in (f"/orders/{uuid4()}", f"/orders/{uuid4()}/saga"):
        answer = await gateway.client.get(path)
        assert answer.status_code == 404
        assert answer.json()["type"] == "https://sagaline.dev/problems/order-not-found"


async def test_what_is_no_order_id_names_the_field(gateway: Gateway) -> None:
    answer = await gateway.client.get("/orders/7")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["order_id"]


async def test_a_snapshot_shows_the_saga_step_by_step(gateway: Gateway) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 1))
    saga = await shown(gateway, order, "/saga")
    begun, planned = saga.pop("steps")
    assert saga == {
        "saga_id": str(SAGA),
        "order_id": order,
        "definition": "place-order",
        "version": 1,
        "state": "RUNNING",
        "sequence": 1,
        "started_at": "2026-11-22T12:00:00Z",
        "updated_at": "2026-11-22T12:00:01Z",
    }
    assert begun == {
        "name": "create_order",
        "kind": "compensatable",
        "status": "SUCCEEDED",
        "direction": "action",
        "attempts": 1,
        "started_at": "2026-11-22T12:00:00Z",
        "ended_at": "2026-11-22T12:00:00.000001Z",
        "code": None,
        "detail": None,
        "stalled": False,
        "parked": False,
    }
    assert (planned["status"], planned["attempts"]) == ("PLANNED", 0)
    assert (await shown(gateway, order))["saga"] == {
        "saga_id": str(SAGA),
        "state": "RUNNING",
        "sequence": 1,
    }


async def test_a_rejected_order_tells_why(gateway: Gateway) -> None:
    order = await placed(gateway)
    why = {"failed_step": "reserve_stock", "code": "out_of_stock", "detail": "0 are free."}
    await project(gateway, snapshot(order, 5, state="COMPENSATED", verdict="compensated", **why))
    body = await shown(gateway, order)
    assert body["status"] == "REJECTED"
    assert body["reason"] == {
        "step": "reserve_stock",
        "code": "out_of_stock",
        "detail": "0 are free.",
    }


async def test_an_order_ends_once_when_its_outcome_is_first_shown(gateway: Gateway) -> None:
    order = await placed(gateway)
    for minute, each in enumerate(course(order)):
        await project(gateway, each, at=NOON + timedelta(minutes=minute))
    body = await shown(gateway, order)
    assert (body["status"], body["saga"]["state"]) == ("CONFIRMED", "COMPLETED")
    assert body["ended_at"] == "2026-11-22T12:02:00Z"


async def test_an_older_snapshot_changes_nothing(gateway: Gateway) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 3, state="COMMITTED", verdict="committed"))
    before = await shown(gateway, order), await shown(gateway, order, "/saga")
    await project(gateway, snapshot(order, 2), at=NOON + timedelta(hours=1))
    assert (await shown(gateway, order), await shown(gateway, order, "/saga")) == before


async def test_a_snapshot_that_comes_twice_changes_nothing(gateway: Gateway) -> None:
    order = await placed(gateway)
    last = snapshot(order, 3, state="COMMITTED", verdict="committed")
    await project(gateway, last)
    ((version, ended_at),) = await gateway.rows("SELECT xmin::text, ended_at FROM order_view")
    await project(gateway, last, last, at=NOON + timedelta(hours=1))
    assert await gateway.rows("SELECT xmin::text, ended_at FROM order_view") == [
        (version, ended_at)
    ]


async def test_of_a_batch_only_each_orders_newest_snapshot_is_shown(gateway: Gateway) -> None:
    one, two = await placed(gateway), await placed(gateway)
    await project(gateway, snapshot(one, 2), snapshot(two, 1), snapshot(one, 4), snapshot(one, 3))
    assert await sequences(gateway, [one, two]) == [4, 1]


async def test_any_order_of_arrival_in_any_batches_shows_the_same(gateway: Gateway) -> None:
    seed = random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    orders = [await placed(gateway) for _ in range(10)]
    arriving = [each for order in orders for each in course(order)] * 2
    rng.shuffle(arriving)
    while arriving:
        size = rng.randint(1, 15)
        await project(gateway, *arriving[:size])
        del arriving[:size]
    assert await sequences(gateway, orders) == [4] * 10, f"seed {seed}"
    assert {(await shown(gateway, order))["status"] for order in orders} == {"CONFIRMED"}


async def test_a_snapshot_of_an_order_accepted_elsewhere_is_passed_over(gateway: Gateway) -> None:
    ours, theirs = await placed(gateway), str(uuid4())
    await project(gateway, snapshot(theirs, 1), snapshot(ours, 1))
    assert (await gateway.client.get(f"/orders/{theirs}")).status_code == 404
    assert [str(order) for (order,) in await gateway.rows("SELECT order_id FROM order_view")] == [
        ours
    ]


async def test_a_look_gives_what_is_newer_than_is_known(gateway: Gateway) -> None:
    silent, begun, accepted_elsewhere = await placed(gateway), await placed(gateway), str(uuid4())
    await project(gateway, snapshot(begun, 2))

    async def newer(sequence: int) -> dict[str, int]:
        orders = map(UUID, (silent, begun, accepted_elsewhere))
        async with gateway.running.database.reading() as tx:
            found = await repository.newer_orders(tx, dict.fromkeys(orders, sequence))
        return {str(order): each.sequence for order, each in found.items()}

    assert await newer(-1) == {silent: 0, begun: 2}
    assert await newer(1) == {begun: 2}
    assert await newer(2) == {}
