"""The payment service's SQL, a set of rows at a time.

Accounts are what orders share, so they are opened, and then locked, in the order of their ids. The
payment of an order is nobody else's: its barrier row is held by whoever works on it. What each
batch of commands runs is plain SQL; what people ask for is Core.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, select, text, update
from sqlmodel import col

from payment_service import domain
from payment_service.models import Account
from sagaline.chassis.database import Transaction

# In order of ids, since two batches may open the same accounts. All of them are opened before any
# is locked: who waits here holds nothing that a locker could wait for.
OPEN_ACCOUNTS = """
    INSERT INTO account (customer_id, limit_minor, currency, authorized_minor, captured_minor)
    SELECT customer_id, $2::bigint, $3::text, 0, 0
    FROM unnest($1::text[]) AS given(customer_id) ORDER BY customer_id
    ON CONFLICT DO NOTHING
"""

# All or none: as above, nobody locks one account and opens another after it.
LOCK_ACCOUNTS = """
    SELECT customer_id, limit_minor, currency, authorized_minor, captured_minor FROM account
    WHERE customer_id = ANY($1::text[])
        AND $2 = (SELECT count(*) FROM account WHERE customer_id = ANY($1::text[]))
    ORDER BY customer_id FOR UPDATE
"""

LOCK_ACCOUNTS_OF = """
    SELECT customer_id FROM account
    WHERE customer_id = ANY($1::text[])
        OR customer_id IN (SELECT customer_id FROM payment WHERE order_id = ANY($2::uuid[]))
    ORDER BY customer_id FOR UPDATE
"""

BOOK = """
    WITH booked AS (
        INSERT INTO entry (order_id, customer_id, amount_minor, source, target, booked_at)
        SELECT given.*, $4::text, $5::text, now()
        FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS given
    )
    UPDATE account
    SET authorized_minor = given.authorized_minor, captured_minor = given.captured_minor
    FROM unnest($6::text[], $7::bigint[], $8::bigint[])
        AS given(customer_id, authorized_minor, captured_minor)
    WHERE account.customer_id = given.customer_id
"""

ADD_PAYMENTS = """
    INSERT INTO payment
        (order_id, customer_id, amount_minor, currency, state, authorized_at)
    SELECT given.*, 'authorized', now()
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[]) AS given
"""

END_PAYMENTS = """
    UPDATE payment SET state = $2, ended_at = now()
    WHERE order_id = ANY($1::uuid[]) AND state = 'authorized'
    RETURNING order_id, customer_id, amount_minor, currency
"""


async def open_accounts(
    tx: Transaction, customers: Collection[str], *, limit_minor: int, currency: str
) -> None:
    """Each of these customers has an account; who had none gets an empty one with these terms."""
    await tx.run(OPEN_ACCOUNTS, list(customers), limit_minor, currency)


async def lock_accounts(tx: Transaction, customers: Collection[str]) -> dict[str, domain.Account]:
    """These different customers' accounts, locked until `tx` ends; none, if one has none."""
    rows = await tx.fetch(LOCK_ACCOUNTS, list(customers), len(customers))
    return {customer_id: domain.Account(customer_id, *rest) for customer_id, *rest in rows}


async def lock_accounts_of(
    tx: Transaction, customers: Collection[str], *, orders: Collection[UUID]
) -> None:
    """Locked until `tx` ends: these customers' accounts, and those that paid for these orders."""
    await tx.fetch(LOCK_ACCOUNTS_OF, list(customers), list(orders))


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


async def add_payments(tx: Transaction, charges: Sequence[domain.Charge]) -> None:
    """Keep a payment for each charge, authorized."""
    await tx.run(
        ADD_PAYMENTS,
        [charge.order_id for charge in charges],
        [charge.customer_id for charge in charges],
        [charge.amount_minor for charge in charges],
        [charge.currency for charge in charges],
    )


async def end_payments(
    tx: Transaction, orders: Sequence[UUID], state: Literal["captured", "voided"]
) -> list[domain.Charge]:
    """These orders' authorized payments are in `state` now: their charges, in order."""
    ended = await tx.fetch(END_PAYMENTS, list(orders), state)
    charges = {row["order_id"]: domain.Charge(*row) for row in ended}
    without = set(orders) - charges.keys()
    assert not without, f"nothing is authorized for {without}"
    return [charges[order] for order in orders]


async def book(
    tx: Transaction,
    charges: Sequence[domain.Charge],
    move: domain.Move,
    accounts: Sequence[domain.Account],
) -> None:
    """Book that each charge's amount went this way; the accounts, which are locked, say so."""
    booked = await tx.run(
        BOOK,
        [charge.order_id for charge in charges],
        [charge.customer_id for charge in charges],
        [charge.amount_minor for charge in charges],
        *move,
        [account.customer_id for account in accounts],
        [account.authorized_minor for account in accounts],
        [account.captured_minor for account in accounts],
    )
    assert booked == len(accounts), (booked, accounts)


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
