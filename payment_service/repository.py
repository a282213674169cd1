"""The payment service's SQL, a set of rows at a time.

Accounts are what orders share, so they are opened, and then locked, in the order of their ids. The
payment of an order is nobody else's: its barrier row is held by whoever works on it.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Row,
    Text,
    Uuid,
    any_,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col

from payment_service import domain
from payment_service.models import Account, Entry, Payment
from sagaline.chassis.database import Transaction, unnest


async def open_accounts(
    tx: Transaction, customers: Collection[str], *, limit_minor: int, currency: str
) -> None:
    """Each of these customers has an account; who had none gets an empty one with these terms."""
    given = unnest({"customer_id": (Text, list(customers))})
    terms = (literal(limit_minor, BigInteger), literal(currency))
    chosen = select(given.c.customer_id, *terms, literal(0), literal(0))
    columns = ("customer_id", "limit_minor", "currency", "authorized_minor", "captured_minor")
    # In order of ids, since two batches may open the same accounts. All of them are opened before
    # any is locked: who waits here holds nothing that a locker could wait for.
    made = upsert(Account).from_select(columns, chosen.order_by(given.c.customer_id))
    await tx.execute(made.on_conflict_do_nothing())


async def lock_accounts(tx: Transaction, customers: Collection[str]) -> dict[str, domain.Account]:
    """These customers' accounts, locked until `tx` ends; who has none is absent."""
    asked = any_(literal(list(customers), ARRAY(Text)))
    query = select(Account).where(col(Account.customer_id) == asked)
    rows = await tx.execute(query.order_by(col(Account.customer_id)).with_for_update())
    return {row.customer_id: _account(row) for row in rows}


async def lock_accounts_of(
    tx: Transaction, customers: Collection[str], *, orders: Collection[UUID]
) -> None:
    """Locked until `tx` ends: these customers' accounts, and those that paid for these orders."""
    payers = select(col(Payment.customer_id)).where(
        col(Payment.order_id) == any_(literal(list(orders), ARRAY(Uuid)))
    )
    asked = col(Account.customer_id) == any_(literal(list(customers), ARRAY(Text)))
    query = select(col(Account.customer_id)).where(asked | col(Account.customer_id).in_(payers))
    await tx.execute(query.order_by(col(Account.customer_id)).with_for_update())


async def find_account(tx: Transaction, customer_id: str) -> domain.Account | None:
    """This customer's account, if there is one."""
    query = select(Account).where(col(Account.customer_id) == customer_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _account(row)


async def save_terms(tx: Transaction, account: domain.Account) -> None:
    """The account, which is locked, has this limit and currency from now on."""
    await tx.execute(
        update(Account)
        .where(col(Account.customer_id) == account.customer_id)
        .values(limit_minor=account.limit_minor, currency=account.currency)
    )


async def save_balances(tx: Transaction, accounts: Sequence[domain.Account]) -> None:
    """The accounts, which are locked, hold and took what they say from now on."""
    given = unnest(
        {
            "customer_id": (Text, [account.customer_id for account in accounts]),
            "authorized_minor": (BigInteger, [account.authorized_minor for account in accounts]),
            "captured_minor": (BigInteger, [account.captured_minor for account in accounts]),
        }
    )
    saved = await tx.execute(
        update(Account)
        .where(col(Account.customer_id) == given.c.customer_id)
        .values(authorized_minor=given.c.authorized_minor, captured_minor=given.c.captured_minor)
    )
    assert saved.rowcount == len(accounts), (saved.rowcount, accounts)


async def add_payments(tx: Transaction, charges: Sequence[domain.Charge]) -> None:
    """Keep a payment for each charge, authorized."""
    given = unnest(
        {
            "order_id": (Uuid, [charge.order_id for charge in charges]),
            "customer_id": (Text, [charge.customer_id for charge in charges]),
            "amount_minor": (BigInteger, [charge.amount_minor for charge in charges]),
            "currency": (Text, [charge.currency for charge in charges]),
        }
    )
    columns = ("order_id", "customer_id", "amount_minor", "currency", "state", "authorized_at")
    chosen = select(*given.c, literal("authorized"), func.now())
    await tx.execute(insert(Payment).from_select(columns, chosen))


async def end_payments(
    tx: Transaction, orders: Sequence[UUID], state: Literal["captured", "voided"]
) -> list[domain.Charge]:
    """These orders' authorized payments are in `state` now: their charges, in order."""
    asked = any_(literal(list(orders), ARRAY(Uuid)))
    ended = await tx.execute(
        update(Payment)
        .where(col(Payment.order_id) == asked, col(Payment.state) == "authorized")
        .values(state=state, ended_at=func.now())
        .returning(
            col(Payment.order_id),
            col(Payment.customer_id),
            col(Payment.amount_minor),
            col(Payment.currency),
        )
    )
    charges = {row.order_id: _charge(row) for row in ended}
    without = set(orders) - charges.keys()
    assert not without, f"nothing is authorized for {without}"
    return [charges[order] for order in orders]


async def add_entries(tx: Transaction, charges: Sequence[domain.Charge], move: domain.Move) -> None:
    """Book that each charge's amount went this way."""
    source, target = move
    given = unnest(
        {
            "order_id": (Uuid, [charge.order_id for charge in charges]),
            "customer_id": (Text, [charge.customer_id for charge in charges]),
            "amount_minor": (BigInteger, [charge.amount_minor for charge in charges]),
        }
    )
    columns = ("order_id", "customer_id", "amount_minor", "source", "target", "booked_at")
    chosen = select(*given.c, literal(source), literal(target), func.now())
    await tx.execute(insert(Entry).from_select(columns, chosen))


def _charge(row: Row[Any]) -> domain.Charge:
    return domain.Charge(row.order_id, row.customer_id, row.amount_minor, row.currency)


def _account(row: Row[Any]) -> domain.Account:
    return domain.Account(
        row.customer_id, row.limit_minor, row.currency, row.authorized_minor, row.captured_minor
    )


_TOTALS = text(
    """
    SELECT currency, state, count(*) AS payments, sum(amount_minor) AS amount_minor
    FROM payment GROUP BY currency, state ORDER BY currency, state
    """
)
# An account's balances beside what payments and ledger make of them, where any of the three differ.
_DIFFERENCES = text(
    """
    WITH paid AS (
        SELECT customer_id,
               sum(amount_minor) FILTER (WHERE state = 'authorized') AS held,
               sum(amount_minor) FILTER (WHERE state = 'captured') AS taken
        FROM payment GROUP BY customer_id
    ), booked AS (
        SELECT customer_id,
               sum(CASE 'authorized' WHEN target THEN amount_minor
                                     WHEN source THEN -amount_minor END) AS held,
               sum(CASE 'captured' WHEN target THEN amount_minor END) AS taken
        FROM entry GROUP BY customer_id
    )
    SELECT customer_id, authorized_minor, captured_minor,
           coalesce(paid.held, 0) AS paid_held, coalesce(paid.taken, 0) AS paid_taken,
           coalesce(booked.held, 0) AS booked_held, coalesce(booked.taken, 0) AS booked_taken
    FROM account
        FULL JOIN paid USING (customer_id)
        FULL JOIN booked USING (customer_id)
    WHERE (authorized_minor, captured_minor)
              IS DISTINCT FROM (coalesce(paid.held, 0), coalesce(paid.taken, 0))
       OR (authorized_minor, captured_minor)
              IS DISTINCT FROM (coalesce(booked.held, 0), coalesce(booked.taken, 0))
    ORDER BY customer_id LIMIT 20
    """
)


async def read_books(tx: Transaction) -> domain.Books:
    """Totals, and at most 20 accounts that differ; all of one moment, so called first in `tx`.

    An account's balances are the sums of its payments, and the sums of its ledger entries.
    """
    await tx.freeze()
    totals = (await tx.execute(_TOTALS)).all()
    problems = tuple(
        f"{account.customer_id}: {account.authorized_minor} authorized and "
        f"{account.captured_minor} captured; {account.paid_held} and {account.paid_taken} by "
        f"payments, {account.booked_held} and {account.booked_taken} by the ledger"
        for account in await tx.execute(_DIFFERENCES)
    )

    def in_state(state: str) -> dict[str, int]:
        return {row.currency: int(row.amount_minor) for row in totals if row.state == state}

    return domain.Books(
        balanced=not problems,
        problems=problems,
        authorized_minor=in_state("authorized"),
        captured_minor=in_state("captured"),
        voided_minor=in_state("voided"),
        open_authorizations=sum(row.payments for row in totals if row.state == "authorized"),
    )
