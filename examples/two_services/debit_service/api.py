"""The debit service's HTTP side. Transfers begin here."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from pydantic import BaseModel, NonNegativeInt, PositiveInt

from sagaline.chassis.database import Database
from sagaline.chassis.envelope import Outgoing, saga_id
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.web import database, traceparent
from schemas.messages import StartTransfer

router = APIRouter()
Db = Annotated[Database, Depends(database)]

PUT = """
    INSERT INTO account (account_id, points) VALUES ($1, $2)
    ON CONFLICT (account_id) DO UPDATE SET points = excluded.points
"""


class Account(BaseModel):
    """How many points an account has."""

    points: NonNegativeInt


class NewTransfer(BaseModel):
    """Points to move, from an account here to one at the credit service."""

    from_account: str
    to_account: str
    points: PositiveInt


class Accepted(BaseModel):
    """The transfer is on its way; its saga shows how far it has come."""

    transfer_id: UUID
    saga_id: UUID


class AccountNotFound(PlatformError):
    """There is no account {account_id}."""

    status = 404


@router.put("/accounts/{account_id}")
async def put_account(account_id: str, account: Account, db: Db) -> Account:
    """Open an account, or set its points."""
    async with db.transaction() as tx:
        await tx.run(PUT, account_id, account.points)
    return account


@router.get("/accounts/{account_id}")
async def get_account(account_id: str, db: Db) -> Account:
    """Show an account."""
    async with db.reading() as tx:
        rows = await tx.fetch("SELECT points FROM account WHERE account_id = $1", account_id)
    if not rows:
        raise AccountNotFound(account_id=account_id)
    return Account(points=rows[0]["points"])


@router.post("/transfers", status_code=202)
async def start_transfer(
    new: NewTransfer, db: Db, trace: Annotated[str, Depends(traceparent)]
) -> Accepted:
    """Accept a transfer: from here on it can't be lost."""
    transfer = StartTransfer(transfer_id=uuid4(), **new.model_dump())
    async with db.transaction() as tx:
        tx.publish(Outgoing(transfer, traceparent=trace))
    key = str(transfer.transfer_id)
    return Accepted(transfer_id=transfer.transfer_id, saga_id=saga_id("transfer", key))
