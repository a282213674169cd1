"""The inventory's HTTP side: stock is set and read here, and the books are shown."""

from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from inventory_service import domain, repository
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.openapi import answers
from sagaline.chassis.web import database
from schemas.currencies import Currency

SKU_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Sku: TypeAlias = Annotated[
    str, Path(pattern=SKU_PATTERN, description="1 to 64 characters.", examples=["LAMP-1"])
]
OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

A_STOCK: Final[dict[str, JsonValue]] = {"on_hand": 40, "price_minor": 4_990, "currency": "EUR"}
A_SHELF: Final[dict[str, JsonValue]] = {"sku": "LAMP-1", "reserved": 2, **A_STOCK}
SOME_BOOKS: Final[dict[str, JsonValue]] = {
    "balanced": True,
    "problems": [],
    "on_hand": 40,
    "reserved": 2,
    "committed": 3,
    "committed_minor": {"EUR": 14_970},
    "open_reservations": 1,
}

router = APIRouter(tags=["inventory"])


class ShelfNotFound(PlatformError):
    """There is no shelf for {sku}."""

    status = 404


class StockPromised(PlatformError):
    """{reserved} units of {sku} are promised to open orders: {on_hand} would be too few."""

    status = 409


class NewStock(BaseModel):
    """What lies on a shelf from now on, and what a unit costs."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [A_STOCK]}
    )

    on_hand: int = Field(ge=0, le=1_000_000_000, description="Units, counting the reserved ones.")
    price_minor: int = Field(ge=0, le=1_000_000_000_000, description="Of a unit; in minor units.")
    currency: Currency = Field(description="ISO 4217 code of the price.")


@router.put(
    "/stock/{sku}",
    responses=answers(
        A_SHELF, StockPromised, leads_to={"inventory-get_stock": {"sku": "$request.path.sku"}}
    ),
)
async def put_stock(sku: Sku, stock: NewStock, db: OpenDatabase) -> domain.Shelf:
    """Set a shelf's stock and price, making it if there is none. 409: too little for open orders.

    Lines that are reserved keep the price of their moment.
    """
    async with db.transaction() as tx:
        before = await repository.open_shelf(
            tx, sku, price_minor=stock.price_minor, currency=stock.currency
        )
        if stock.on_hand < before.reserved:
            raise StockPromised(sku=sku, reserved=before.reserved, on_hand=stock.on_hand)
        after = domain.Shelf(sku, stock.on_hand, before.reserved, stock.price_minor, stock.currency)
        await repository.save_shelf(tx, after, moved=after.on_hand - before.on_hand)
    return after


@router.get("/stock/{sku}", responses=answers(A_SHELF, ShelfNotFound))
async def get_stock(sku: Sku, db: OpenDatabase) -> domain.Shelf:
    """One shelf."""
    async with db.transaction() as tx:
        shelf = await repository.find_shelf(tx, sku)
    if shelf is None:
        raise ShelfNotFound(sku=sku)
    return shelf


@router.get("/stock", responses=answers([A_SHELF]))
async def list_stock(
    db: OpenDatabase,
    after: Annotated[
        str,
        Query(pattern=r"^[A-Za-z0-9._-]{0,64}$", description="The last SKU of the page before."),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many at most.")] = 100,
) -> list[domain.Shelf]:
    """Shelves in the order of their SKUs; `after` goes on where an answer ended."""
    async with db.transaction() as tx:
        return await repository.shelves(tx, after=after, limit=limit)


@router.get("/books", responses=answers(SOME_BOOKS))
async def get_books(db: OpenDatabase) -> domain.Books:
    """Whether everything that the inventory keeps adds up, and to what."""
    async with db.transaction() as tx:
        return await repository.read_books(tx)
