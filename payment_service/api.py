"""Payment's HTTP side: accounts are set and read here, and the books are shown."""

from dataclasses import replace
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from payment_service import domain, repository
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.openapi import answers
from sagaline.chassis.web import database
from schemas.currencies import Currency

CustomerId: TypeAlias = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@:-]{0,63}$",
        description="1 to 64 characters.",
        examples=["c-1001"],
    ),
]
OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

SOME_TERMS: Final[dict[str, JsonValue]] = {"limit_minor": 100_000, "currency": "EUR"}
AN_ACCOUNT: Final[dict[str, JsonValue]] = {
    "customer_id": "c-1001",
    **SOME_TERMS,
    "authorized_minor": 4_990,
    "captured_minor": 14_970,
}
SOME_BOOKS: Final[dict[str, JsonValue]] = {
    "balanced": True,
    "problems": [],
    "authorized_minor": {"EUR": 4_990},
    "captured_minor": {"EUR": 14_970},
    "voided_minor": {},
    "open_authorizations": 1,
}

router = APIRouter(tags=["payment"])


class AccountNotFound(PlatformError):
    """There is no account of {customer_id}; the first order opens one."""

    status = 404


class LimitInUse(PlatformError):
    """{used_minor} of the account of {customer_id} are in use: {limit_minor} is too low a limit."""

    status = 409


class CurrencyInUse(PlatformError):
    """The account of {customer_id} was used in {currency}: its currency can't change any more."""

    status = 409


class Terms(BaseModel):
    """How much a customer may owe, and in which currency."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [SOME_TERMS]}
    )

    limit_minor: int = Field(ge=0, le=1_000_000_000_000_000, description="In minor units.")
    currency: Currency = Field(description="ISO 4217 code of the account.")


@router.put(
    "/accounts/{customer_id}",
    responses=answers(
        AN_ACCOUNT,
        LimitInUse,
        CurrencyInUse,
        leads_to={"payment-get_account": {"customer_id": "$request.path.customer_id"}},
    ),
)
async def put_account(customer_id: CustomerId, terms: Terms, db: OpenDatabase) -> domain.Account:
    """Set an account's terms, opening it if there is none. 409: what is in use forbids it."""
    async with db.transaction() as tx:
        await repository.open_accounts(
            tx, [customer_id], limit_minor=terms.limit_minor, currency=terms.currency
        )
        account = (await repository.lock_accounts(tx, [customer_id]))[customer_id]
        if account.used_minor > terms.limit_minor:
            raise LimitInUse(
                customer_id=customer_id,
                used_minor=account.used_minor,
                limit_minor=terms.limit_minor,
            )
        if account.used_minor and account.currency != terms.currency:
            raise CurrencyInUse(customer_id=customer_id, currency=account.currency)
        account = replace(account, limit_minor=terms.limit_minor, currency=terms.currency)
        await repository.save_terms(tx, account)
    return account


@router.get("/accounts/{customer_id}", responses=answers(AN_ACCOUNT, AccountNotFound))
async def get_account(customer_id: CustomerId, db: OpenDatabase) -> domain.Account:
    """One customer's account."""
    async with db.transaction() as tx:
        account = await repository.find_account(tx, customer_id)
    if account is None:
        raise AccountNotFound(customer_id=customer_id)
    return account


@router.get("/books", responses=answers(SOME_BOOKS))
async def get_books(db: OpenDatabase) -> domain.Books:
    """Whether everything that payment keeps adds up, and to what."""
    async with db.transaction() as tx:
        return await repository.read_books(tx)
