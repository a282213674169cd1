"""The saga by itself: no I/O at all."""

from uuid import UUID

import schemas
from sagaline.testing import Bounds, given, walk
from schemas.messages import GivePoints, HoldPoints, ReleasePoints, StartTransfer, TakePoints
from transfer_orchestrator.transfer import TRANSFER

START = StartTransfer(transfer_id=UUID(int=1), from_account="ada", to_account="bob", points=40)


def test_points_are_held_then_given_then_taken() -> None:
    saga = given(TRANSFER, START).succeeded("hold_points", "give_points", "take_points")
    assert saga.sent_types == [HoldPoints, GivePoints, TakePoints]
    assert saga.state == "COMPLETED"


def test_a_refused_gift_frees_the_points() -> None:
    saga = given(TRANSFER, START).succeeded("hold_points").refused("give_points", code="unknown")
    assert saga.sent_types[-1] is ReleasePoints
    assert saga.undone("hold_points").state == "COMPENSATED"


def test_no_order_of_messages_and_failures_breaks_it() -> None:
    walk(TRANSFER, START, schemas.CATALOG.messages, Bounds(timeouts_per_command=1))
