"""What a reply tells a saga: its envelope and its message say the same."""

import pytest

from sagaline.chassis.catalog import Message
from sagaline.chassis.envelope import Envelope, Record
from sagaline.chassis.errors import MalformedEnvelope
from sagaline.chassis.messages import Notice
from sagaline.engine.inputs import Refused, Succeeded
from sagaline.engine.routing import answer_in
from sagaline.engine.state import Direction
from sagaline.testing.stories import MORNING, SAGA_ID
from schemas.messages import StockRefused, StockReserved

RESERVED = StockReserved(order_id=SAGA_ID, lines=(), total_minor=4_200, currency="EUR")
NOTICE = Notice(code="parked", detail="")
OUT_OF_STOCK = StockRefused(order_id=SAGA_ID, sku="LAMP-1", code="out_of_stock", detail="none left")


def reply(message: Message, outcome: str | None) -> Record:
    envelope = Envelope(
        id=SAGA_ID,
        type=type(message).__name__,
        source="inventory",
        subject="4711",
        time=MORNING,
        saga_id=SAGA_ID,
        step="reserve_stock",
        direction="action",
        generation=1,
        outcome=outcome,
    )
    return Record(
        topic="inventory.replies.v1",
        partition=0,
        offset=0,
        key="4711",
        envelope=envelope,
        message=message,
        value=b"",
    )


def test_a_reply_is_what_its_message_means() -> None:
    step = ("reserve_stock", Direction.ACTION, 1)
    assert answer_in(reply(RESERVED, "succeeded")) == Succeeded(*step, RESERVED)
    refusal = Refused(*step, "out_of_stock", "none left")
    assert answer_in(reply(OUT_OF_STOCK, "refused")) == refusal


@pytest.mark.parametrize(
    ("message", "outcome"),
    [(OUT_OF_STOCK, "succeeded"), (RESERVED, "refused"), (RESERVED, "undone")],
)
def test_a_reply_whose_envelope_says_something_else_is_malformed(
    message: Message, outcome: str
) -> None:
    with pytest.raises(MalformedEnvelope, match=outcome):
        answer_in(reply(message, outcome))


def test_a_notice_has_the_outcome_of_its_envelope() -> None:
    assert isinstance(answer_in(reply(NOTICE, "refused")), Refused)


def test_a_reply_that_lacks_a_part_is_malformed() -> None:
    with pytest.raises(MalformedEnvelope, match="lacks"):
        answer_in(reply(RESERVED, None))
