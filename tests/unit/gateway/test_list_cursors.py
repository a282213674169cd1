"""Cursors of the list of orders: what no list has given is refused, and never fails."""

import pytest

from gateway_service.listing import BEGIN, Place
from sagaline.chassis import paging

AN_ID = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"


def test_a_place_survives_being_a_cursor() -> None:
    assert Place.of(BEGIN.cursor) == BEGIN


@pytest.mark.parametrize(
    "placed_at, order_id",
    [
        ("2026-11-22T12:00:00", AN_ID),  # in which zone?
        ("0001-01-01T00:00:00+23:59", AN_ID),  # before the first moment of UTC
        ("9999-12-31T23:59:59-23:59", AN_ID),
        ("today", AN_ID),
        ("2026-11-22T12:00:00Z", "7"),
    ],
)
def test_a_place_that_nobody_gave_is_refused(placed_at: str, order_id: str) -> None:
    with pytest.raises(paging.UnknownCursor):
        Place.of(paging.cursor(placed_at, order_id))
