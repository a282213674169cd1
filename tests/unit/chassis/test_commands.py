"""What a record has to say to be a command, and which commands a service takes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

import schemas
from sagaline.chassis.barrier import Command
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Envelope, Record
from sagaline.chassis.errors import MalformedEnvelope, UnexpectedMessage
from sagaline.chassis.messages import Revoke
from schemas.messages import CommitStock, ReleaseStock

ORDER, SAGA = UUID(int=1), UUID(int=2)
ENVELOPE = Envelope(
    id=UUID(int=3),
    type="inventory.commands.ReleaseStock",
    source="/saga_orchestrator",
    subject=str(ORDER),
    time=datetime(2026, 7, 1, tzinfo=UTC),
    saga_id=SAGA,
    step="reserve_stock",
    direction="undo",
    generation=2,
    action="indoubt",
)


async def release(_tx: Transaction, _batch: Sequence[ReleaseStock]) -> Sequence[Message]:
    raise AssertionError("nothing is handled here")


COMMANDS = Commands(
    {ReleaseStock: release},
    codec=Codec(schemas.CATALOG),
    replies_topic="inventory.replies.v1",
    service="inventory_service",
)


def record(message: Message, envelope: Envelope = ENVELOPE) -> Record:
    return Record("inventory.commands.v1", 0, 0, str(ORDER), envelope, message, b"")


UNDO = record(ReleaseStock(order_id=ORDER))


def test_an_undo_says_what_its_saga_saw_and_claims_the_actions_row_too() -> None:
    undo = COMMANDS.command(UNDO)
    assert undo == Command(SAGA, "reserve_stock", "undo", 2, "indoubt")
    assert undo.rows == ((SAGA, "reserve_stock", "action"), (SAGA, "reserve_stock", "undo"))
    assert undo.own == (SAGA, "reserve_stock", "undo")


@pytest.mark.parametrize("direction", ["action", "revoke"])
def test_actions_and_revokes_claim_the_actions_row(direction: str) -> None:
    envelope = ENVELOPE._replace(direction=direction, action=None)
    command = COMMANDS.command(UNDO._replace(envelope=envelope))
    assert command.rows == (command.own,) == ((SAGA, "reserve_stock", "action"),)


@pytest.mark.parametrize(
    "envelope",
    [
        ENVELOPE._replace(saga_id=None),
        ENVELOPE._replace(step=None),
        ENVELOPE._replace(generation=None),
        ENVELOPE._replace(direction=None),
        ENVELOPE._replace(direction="sideways"),
        ENVELOPE._replace(action=None),
        ENVELOPE._replace(action="perhaps"),
    ],
)
def test_what_lacks_a_part_is_malformed(envelope: Envelope) -> None:
    with pytest.raises(MalformedEnvelope):
        COMMANDS.check(UNDO._replace(envelope=envelope))


def test_a_service_takes_its_own_commands_and_revokes() -> None:
    COMMANDS.check(UNDO)
    COMMANDS.check(record(Revoke(key=str(ORDER), saga_id=SAGA, step="reserve_stock")))
    with pytest.raises(UnexpectedMessage, match=r"inventory\.commands\.CommitStock"):
        COMMANDS.check(record(CommitStock(order_id=ORDER)))
