"""Whose an idempotency key is, and what becomes of those who come with it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from gateway_service import domain

LAMP = domain.Order("c-1", "EUR", (domain.Line("LAMP", 1),))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def request(number: int, key: str | None, order: domain.Order = LAMP) -> domain.Request:
    return domain.Request(
        order_id=UUID(int=number),
        order=order,
        key=key,
        placed_at=NOON,
        traceparent="",
    )


def owner(request: domain.Request) -> domain.Owner:
    return domain.Owner(request.order_id, request.fingerprint)


def test_without_a_key_equal_requests_are_two_orders() -> None:
    one, two = request(1, None), request(2, None)
    assert domain.claimants([one, two]) == {}
    assert domain.answer(one, {}) == domain.Accepted(one.order_id, one.placed)
    assert domain.answer(two, {}) == domain.Accepted(two.order_id, two.placed)


def test_the_first_request_of_a_key_claims_it() -> None:
    one, two, other = request(1, "k"), request(2, "k"), request(3, "l")
    assert domain.claimants([one, two, other]) == {("c-1", "k"): one, ("c-1", "l"): other}


def test_the_same_key_of_two_customers_is_two_keys() -> None:
    mine = request(1, "k")
    theirs = request(2, "k", replace(LAMP, customer_id="c-2"))
    assert len(domain.claimants([mine, theirs])) == 2


def test_an_equal_request_gets_the_order_of_the_keys_owner() -> None:
    first, again = request(1, "k"), request(2, "k")
    owners = {("c-1", "k"): owner(first)}
    assert domain.answer(first, owners) == domain.Accepted(first.order_id, first.placed)
    assert domain.answer(again, owners) == domain.Accepted(first.order_id, None)


def test_a_different_request_with_the_key_is_refused() -> None:
    first = request(1, "k")
    other = request(2, "k", replace(LAMP, lines=(domain.Line("LAMP", 2),)))
    assert domain.answer(other, {("c-1", "k"): owner(first)}) == domain.KeyReused("k")


def test_a_key_that_nobody_owns_yet_is_held_by_a_request_in_flight() -> None:
    assert domain.answer(request(1, "k"), {}) == domain.KeyHeld("k")


def test_the_fingerprint_tells_every_part_of_an_order() -> None:
    changed = [
        LAMP,
        replace(LAMP, customer_id="c-2"),
        replace(LAMP, currency="USD"),
        replace(LAMP, lines=(domain.Line("LAMP", 2),)),
        replace(LAMP, lines=(domain.Line("DESK", 1),)),
        replace(LAMP, lines=(domain.Line("LAMP", 1), domain.Line("DESK", 1))),
    ]
    assert len({order.fingerprint() for order in changed}) == len(changed)
    assert LAMP.fingerprint() == replace(LAMP).fingerprint()


def test_fingerprints_stay_what_they_are_since_databases_keep_them() -> None:
    expected = "a9a572624a8e3edd437c445bcc1eb1b099816e883428e86e38fc0de1a2b06706"
    assert LAMP.fingerprint().hex() == expected
