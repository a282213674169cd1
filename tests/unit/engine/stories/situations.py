"""Sagas at the points from which a story is told."""

from sagaline.engine.state import Direction
from sagaline.testing.stories import Story, given
from tests.unit.engine.shop import AN_ORDER, PLACE_ORDER, TRIP

ACTION, UNDO, REVOKE = Direction.ACTION, Direction.UNDO, Direction.REVOKE
BEFORE_THE_PIVOT = ("create_order", "reserve_stock", "authorize_payment")
AFTER_THE_PIVOT = ("commit_stock", "capture_payment", "send_confirmation")
SENDINGS_MAX = 6  # the first, and five resends


def an_order() -> Story:
    return given(PLACE_ORDER, AN_ORDER)


def an_order_at_its_pivot() -> Story:
    return an_order().succeeded(*BEFORE_THE_PIVOT)


def a_confirmed_order() -> Story:
    return an_order_at_its_pivot().succeeded("confirm_order")


def a_trip_in_its_group() -> Story:
    return given(TRIP, AN_ORDER).succeeded("create_order")
