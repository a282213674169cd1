"""One order is one trace: fetched from a real OTLP receiver, whole, with one root and no orphan."""

import asyncio
import random
from collections.abc import Iterator, Sequence

import pytest
from aiosmtpd.controller import Controller

from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.ports import free_port
from sagaline.local.throw_away_platform import throw_away_platform
from sagaline.testing.platform import Platform
from tests.integration.services.post_office import PostOffice
from tests.integration.traces.receiver import Receiver, Told, receiving

WITHIN_S = 60.0
SERVICES = {
    "gateway_service",
    "order_service",
    "inventory_service",
    "payment_service",
    "notification_service",
    "saga_orchestrator",
}
FORWARD = {
    ("create_order", "action"),
    ("reserve_stock", "action"),
    ("authorize_payment", "action"),
    ("confirm_order", "action"),
    ("commit_stock", "action"),
    ("capture_payment", "action"),
    ("send_confirmation", "action"),
}
REFUSED = {
    ("create_order", "action"),
    ("reserve_stock", "action"),
    ("create_order", "undo"),
    ("send_rejection", "action"),
}


@pytest.fixture(scope="module")
def collected() -> Iterator[tuple[Receiver, str]]:
    with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def receiver(collected: tuple[Receiver, str]) -> Receiver:
    return collected[0]


@pytest.fixture(scope="module")
def office_port() -> Iterator[int]:
    """Where mail is taken, so that there is a call to the outside."""
    port = free_port(random.SystemRandom())
    office = Controller(PostOffice(), hostname="127.0.0.1", port=port)
    office.start()
    yield port
    office.stop()


@pytest.fixture(scope="module")
def environment(
    platform_config: PlatformConfig, collected: tuple[Receiver, str], office_port: int
) -> Iterator[EmbeddedPlatform]:
    with throw_away_platform(
        platform_config,
        rng=random.SystemRandom(),
        tell=print,
        settings={
            "SAGALINE_OTLP_ENDPOINT": collected[1],
            "SAGALINE_NOTIFICATION_MAILER": "smtp",
            "SAGALINE_NOTIFICATION_SENDER": "orders@shop.test",
            "SAGALINE_NOTIFICATION_ADDRESS": "{customer_id}@customers.test",
            "SAGALINE_NOTIFICATION_SMTP_PORT": str(office_port),
            "SAGALINE_NOTIFICATION_SMTP_TLS": "none",
        },
    ) as embedded:
        yield embedded


async def test_a_confirmed_order_is_one_trace_through_all_services(
    platform: Platform, receiver: Receiver
) -> None:
    order = await platform.completed_order(within_s=WITHIN_S)
    spans = await receiver.trace(lambda spans: of(spans, order.order_id) and whole(spans, FORWARD))
    (root,) = [span for span in spans if not span.parent]
    assert (root.service, root.name, root.kind) == ("gateway_service", "POST /orders", "SERVER")
    assert orphans(spans) == []
    assert {span.service for span in spans} == SERVICES
    assert not any(span.error for span in spans)


async def test_every_hop_is_made_sent_and_handled_and_tells_its_statements(
    platform: Platform, receiver: Receiver
) -> None:
    order = await platform.completed_order(within_s=WITHIN_S)
    spans = await receiver.trace(lambda spans: of(spans, order.order_id) and whole(spans, FORWARD))
    by_id = {span.id: span for span in spans}
    for span in spans:
        parent = by_id.get(span.parent)
        if span.kind == "CONSUMER":
            assert parent is not None
            assert parent.kind == "PRODUCER"
            assert parent.facts["messaging.message.id"] == span.facts["messaging.message.id"]
            assert any(
                each.parent == span.parent and each.name.startswith("send ") for each in spans
            )
    handled = {span.service for span in spans if span.kind == "CONSUMER"}
    asked = {span.service for span in spans if span.facts.get("db.system.name") == "postgresql"}
    assert handled == asked == SERVICES
    assert all("$" in str(span.facts["db.query.text"]) for span in spans if updates(span))


async def test_what_is_called_outside_is_told_with_what_was_written_before(
    platform: Platform, receiver: Receiver
) -> None:
    order = await platform.completed_order(within_s=WITHIN_S)
    spans = await receiver.trace(lambda spans: of(spans, order.order_id) and whole(spans, FORWARD))
    by_id = {span.id: span for span in spans}
    (called,) = [span for span in spans if span.name == "call mailer"]
    assert (called.service, called.kind, called.error) == ("notification_service", "CLIENT", False)
    command = by_id[called.parent]
    assert command.name == "create notifications.commands.v1"
    (intended,) = [span for span in spans if span.name == "intend calls"]
    assert intended.parent == command.id
    below = {span.name for span in spans if span.parent == intended.id}
    assert {"INSERT sagaline.intent", "COMMIT"} <= below


async def test_a_rejected_order_is_one_trace_with_its_undo(
    platform: Platform, receiver: Receiver
) -> None:
    order_id = await platform.place({await platform.a_sku(on_hand=0): 1})
    await platform.saga_ended(order_id, within_s=WITHIN_S)
    spans = await receiver.trace(lambda spans: of(spans, order_id) and whole(spans, REFUSED))
    assert len([span for span in spans if not span.parent]) == 1
    assert orphans(spans) == []


async def test_a_shared_transaction_is_in_one_trace_and_linked_to_the_others(
    platform: Platform, receiver: Receiver
) -> None:
    sku, customer = await platform.a_sku(), await platform.a_customer()
    orders = await asyncio.gather(
        *(platform.place({sku: 1}, customer_id=customer) for _ in range(40))
    )
    await asyncio.gather(*(platform.saga_ended(each, within_s=WITHIN_S) for each in orders))
    await receiver.trace(lambda spans: of(spans, orders[-1]) and whole(spans, FORWARD))
    spans = [span for trace in receiver.traces().values() for span in trace]
    batches = {span.id for span in spans if span.name == "process batch"}
    assert batches
    joined = [span for span in spans if span.kind == "CONSUMER" and set(span.links) & batches]
    assert joined


async def test_who_calls_with_a_trace_finds_the_order_in_it(
    platform: Platform, receiver: Receiver
) -> None:
    trace, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    body = {
        "customer_id": await platform.a_customer(),
        "currency": "EUR",
        "lines": [{"sku": await platform.a_sku(), "quantity": 1}],
    }
    answer = await platform.http("gateway_service").post(
        "/orders", json=body, headers={"traceparent": f"00-{trace}-{caller}-01"}
    )
    assert answer.status_code == 202
    spans = await receiver.trace(
        lambda spans: of(spans, answer.json()["order_id"]) and whole(spans, FORWARD)
    )
    assert spans == receiver.traces()[trace]
    assert [span.name for span in spans if span.parent == caller] == ["POST /orders"]


def of(spans: Sequence[Told], order_id: object) -> bool:
    """Whether this is the order's trace."""
    return any(span.facts.get("messaging.kafka.message.key") == str(order_id) for span in spans)


def whole(spans: Sequence[Told], steps: set[tuple[str, str]]) -> bool:
    """Whether commands and answers of all steps were handled, and the gateway has the news."""
    return (
        steps_of(spans, by_orchestrator=False) == steps
        and steps_of(spans, by_orchestrator=True) == steps
        and any(span.name == "process sagas.events.v1" for span in spans)
        and any(span.name == "POST /orders" for span in spans)
        and not orphans(spans)
    )


def steps_of(spans: Sequence[Told], *, by_orchestrator: bool) -> set[tuple[str, str]]:
    """Steps and directions of the messages that the orchestrator handled, or the others."""
    return {
        (str(span.facts["sagaline.saga.step"]), str(span.facts["sagaline.saga.direction"]))
        for span in spans
        if span.kind == "CONSUMER"
        and "sagaline.saga.step" in span.facts
        and (span.service == "saga_orchestrator") == by_orchestrator
    }


def orphans(spans: Sequence[Told]) -> list[Told]:
    """Spans whose parent nobody has told of; the first one's may be a caller's."""
    known = {span.id for span in spans}
    return [
        span
        for span in spans
        if span.parent and span.parent not in known and span.name != "POST /orders"
    ]


def updates(span: Told) -> bool:
    """Whether it is a statement that writes a row."""
    return span.name.startswith("UPDATE sagaline.positions")
