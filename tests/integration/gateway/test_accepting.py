"""POST /orders: what is answered, what is written, and what is refused before anything is."""

import json
from uuid import UUID, uuid5

import pytest

from schemas.messages import OrderLine, PlaceOrder
from tests.integration.gateway.stage import AN_ORDER, Gateway

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_an_accepted_order_is_answered_with_where_to_look_for_it(gateway: Gateway) -> None:
    answer = await gateway.post()
    order_id = answer.json()["order_id"]
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/orders/{order_id}"
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {
        "order_id": order_id,
        "status": "PENDING",
        "links": {"self": f"/orders/{order_id}", "saga": f"/orders/{order_id}/saga"},
    }
    assert UUID(order_id).version == 7


async def test_an_accepted_order_leaves_one_message_that_starts_its_saga(gateway: Gateway) -> None:
    lines = [{"sku": "LAMP", "quantity": 2}, {"sku": "DESK", "quantity": 1}]
    order_id = UUID((await gateway.post(AN_ORDER | {"lines": lines})).json()["order_id"])
    ((topic, key, message_id, payload),) = await gateway.rows(
        "SELECT topic, key, message_id, payload FROM sagaline.outbox"
    )
    assert (topic, key) == ("orders.requests.v1", str(order_id))
    assert message_id == uuid5(order_id, "orders.requests.PlaceOrder")
    message = gateway.running.codec.decode(payload)
    assert isinstance(message, PlaceOrder)
    assert message.order_id == order_id
    assert message.lines == (OrderLine(sku="LAMP", quantity=2), OrderLine(sku="DESK", quantity=1))


async def test_the_customers_trace_goes_on_in_the_message(gateway: Gateway) -> None:
    await gateway.post(traceparent=TRACE)
    ((carried,),) = await gateway.rows("SELECT headers->>'traceparent' FROM sagaline.outbox")
    assert carried.split("-")[1] == TRACE.split("-")[1]


async def test_a_request_without_a_trace_begins_one(gateway: Gateway) -> None:
    await gateway.post()
    ((carried,),) = await gateway.rows("SELECT headers->>'traceparent' FROM sagaline.outbox")
    assert len(carried) == len(TRACE)


@pytest.mark.parametrize(
    "body, status, code, field",
    [
        (json.dumps(AN_ORDER | {"coupon": "X"}), 422, "invalid-request", "coupon"),
        (json.dumps(AN_ORDER | {"customer_id": "a\0b"}), 422, "invalid-request", "customer_id"),
        (json.dumps(AN_ORDER | {"currency": "XYZ"}), 422, "invalid-request", "currency"),
        (json.dumps(AN_ORDER | {"lines": AN_ORDER["lines"] * 2}), 422, "invalid-request", "lines"),  # type: ignore[operator]  # a list
        ("[]", 422, "invalid-request", "body"),
        ("null", 422, "invalid-request", "body"),
        ('{"customer_id": ', 400, "malformed-body", "body"),
        ("", 422, "invalid-request", "body"),
    ],
)
async def test_bad_input_is_a_problem_that_names_the_field(
    gateway: Gateway, body: str, status: int, code: str, field: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = await gateway.client.post("/orders", content=body, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"https://sagaline.dev/problems/{code}"
    assert {error["field"] for error in problem["errors"]} == {field}
    assert await gateway.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe{}", b"[" * 60_000, b'{"lines": ' + b"9" * 6_000 + b"}", b'{"sku": "\\ud800"}'],
    ids=["not UTF-8", "deep", "long number", "half a surrogate"],
)
async def test_hostile_bodies_are_the_clients_fault(gateway: Gateway, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await gateway.client.post("/orders", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_above_64_kib_is_too_large(gateway: Gateway) -> None:
    answer = await gateway.post(AN_ORDER | {"customer_id": "c" * 65_536})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\tin it", "caf\xe9"])
async def test_a_key_that_can_not_be_one_is_refused_by_name(gateway: Gateway, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    answer = await gateway.client.post("/orders", json=AN_ORDER, headers=headers)
    assert answer.status_code == 422
    assert [error["field"].lower() for error in answer.json()["errors"]] == ["idempotency-key"]


async def test_the_api_document_declares_answers_problems_and_examples(gateway: Gateway) -> None:
    document = (await gateway.client.get("/openapi.json")).json()
    place = document["paths"]["/orders"]["post"]["responses"]
    assert {"202", "400", "409", "413", "422", "503"} <= place.keys()
    assert {"Location", "Retry-After", "Preference-Applied"} == place["202"]["headers"].keys()
    for path in ("/orders/{order_id}", "/orders/{order_id}/saga"):
        assert {"200", "404", "503"} <= document["paths"][path]["get"]["responses"].keys()
    for name in ("NewOrder", "OrderAccepted", "OrderShown", "SagaShown"):
        assert document["components"]["schemas"][name]["examples"]
