"""The credit service's HTTP side."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, NonNegativeInt

from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.web import database

router = APIRouter()
Db = Annotated[Database, Depends(database)]

PUT = """
    INSERT INTO account (account_id, points) VALUES ($1, $2)
    ON CONFLICT (account_id) DO UPDATE SET points = excluded.points
"""


class Account(BaseModel):
    """How many points an account has."""

    points: NonNegativeInt


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
