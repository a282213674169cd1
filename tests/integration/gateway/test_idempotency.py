"""Idempotency keys: one order a key, whoever comes when, within a gateway and across gateways."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import insert

from gateway_service import domain, placing, repository
from gateway_service.documents import NewOrder
from tests.integration.gateway.stage import AN_ORDER, Gateway, gateway_at, somebody_waits_for_a_lock

DEARER = AN_ORDER | {"lines": [{"sku": "LAMP", "quantity": 2}]}
A_LATER_ID = UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")


def request(key: str) -> domain.Request:
    order = NewOrder.model_validate(AN_ORDER).order()
    now = datetime.now(UTC)
    return domain.Request(A_LATER_ID, order, key, now, traceparent="")


async def test_the_same_key_and_order_get_the_same_answer(gateway: Gateway) -> None:
    first = await gateway.post(key="k")
    again = await gateway.post(key="k")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["location"] == first.headers["location"]
    assert again.json() == first.json()
    assert await gateway.counts() == (1, 1, 1)


async def test_the_order_is_the_same_however_its_json_is_written(gateway: Gateway) -> None:
    first = await gateway.post(key="k")
    again = await gateway.post(dict(reversed(AN_ORDER.items())), key="k")
    assert again.json() == first.json()


async def test_the_same_key_with_another_order_is_refused(gateway: Gateway) -> None:
    await gateway.post(key="k")
    answer = await gateway.post(DEARER, key="k")
    assert answer.status_code == 422
    assert answer.json()["type"] == "https://sagaline.dev/problems/idempotency-key-reused"
    assert await gateway.counts() == (1, 1, 1)


async def test_a_refused_request_leaves_its_key_free(gateway: Gateway) -> None:
    assert (await gateway.post(AN_ORDER | {"currency": "XYZ"}, key="k")).status_code == 422
    assert (await gateway.post(key="k")).status_code == 202


async def test_a_key_belongs_to_a_customer(gateway: Gateway) -> None:
    mine = await gateway.post(key="k")
    theirs = await gateway.post(AN_ORDER | {"customer_id": "c-2"}, key="k")
    assert theirs.status_code == 202
    assert theirs.headers["location"] != mine.headers["location"]


async def test_requests_without_a_key_are_orders_of_their_own(gateway: Gateway) -> None:
    await asyncio.gather(gateway.post(), gateway.post())
    assert await gateway.counts() == (2, 0, 2)


@pytest.mark.parametrize("key", ["k", "k" * 255, "a key: with spaces / \"quotes\" & 'ticks'"])
async def test_a_key_has_1_to_255_characters(gateway: Gateway, key: str) -> None:
    first, again = await gateway.post(key=key), await gateway.post(key=key)
    assert first.headers["location"] == again.headers["location"]


async def test_50_requests_at_once_with_one_key_are_one_order(gateway: Gateway) -> None:
    answers = await asyncio.gather(*(gateway.post(key="k") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await gateway.counts() == (1, 1, 1)


async def test_of_two_orders_at_once_with_one_key_one_is_accepted(gateway: Gateway) -> None:
    sent = [AN_ORDER, DEARER] * 10
    answers = await asyncio.gather(*(gateway.post(order, key="k") for order in sent))
    assert Counter(answer.status_code for answer in answers) == {202: 10, 422: 10}
    assert await gateway.counts() == (1, 1, 1)


async def test_two_gateways_make_one_order_of_a_key(gateway: Gateway, database_url: str) -> None:
    async with gateway_at(database_url) as other:
        posts = [each.post(key="k") for _ in range(25) for each in (gateway, other)]
        answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} <= {202, 409}
        accepted = {a.headers["location"] for a in answers if a.status_code == 202}
        assert len(accepted) == 1
        assert (await other.post(key="k")).headers["location"] in accepted
    assert await gateway.counts() == (1, 1, 1)


async def test_a_key_that_another_gateway_holds_in_flight_is_a_conflict_at_once(
    gateway: Gateway, database_url: str
) -> None:
    async with gateway_at(database_url) as other:
        async with other.running.database.transaction() as tx:
            await placing.place(tx, [request("k")])
            held, neighbour = await asyncio.gather(gateway.post(key="k"), gateway.post(key="l"))
            assert held.status_code == 409
            assert held.json()["type"] == "https://sagaline.dev/problems/idempotency-key-held"
            assert held.headers["retry-after"] == "1"
            assert neighbour.status_code == 202  # it did not wait for the other's key
        again = await gateway.post(key="k")
    assert again.json()["order_id"] == str(A_LATER_ID)


async def test_a_key_whose_first_request_failed_is_free_again(
    gateway: Gateway, database_url: str
) -> None:
    async with gateway_at(database_url) as other:

        async def fail() -> None:
            async with other.running.database.transaction() as tx:
                await placing.place(tx, [request("k")])
                raise RuntimeError("power cut")

        with pytest.raises(RuntimeError, match="power cut"):
            await fail()
        accepted = await gateway.post(key="k")
    assert accepted.status_code == 202
    assert accepted.json()["order_id"] != str(A_LATER_ID)


async def test_a_key_committed_while_it_was_being_claimed_has_its_owner(gateway: Gateway) -> None:
    """The owner's row is in the claim's way, and not in its snapshot."""
    claim = insert(repository.KEYS).values(
        customer_id="c-1",
        key="k",
        fingerprint=request("k").fingerprint,
        order_id=A_LATER_ID,
        claimed_at=datetime.now(UTC),
    )
    async with gateway.running.database.transaction() as tx:
        await tx.execute(claim)
        post = asyncio.create_task(gateway.post(key="k"))
        await somebody_waits_for_a_lock(gateway)
    assert (await post).json()["order_id"] == str(A_LATER_ID)
