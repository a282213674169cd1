"""The provider that this service is itself: accounts with limits, and a ledger that proves them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from payment_service import domain, repository
from sagaline.chassis.database import Transaction


class Ledger:
    """A `Provider` on this service's own tables. Who has no account yet is given a default one."""

    def __init__(self, *, default_limit_minor: int, default_currency: str) -> None:
        self._default_limit_minor = default_limit_minor
        self._default_currency = default_currency

    async def lock(
        self, tx: Transaction, charges: Sequence[domain.Charge], orders: Sequence[UUID]
    ) -> None:
        """Locked until `tx` ends: the accounts that these charges, and these payments, are of."""
        customers = {charge.customer_id for charge in charges}
        await self._open(tx, customers)
        await repository.lock_accounts_of(tx, customers, orders=orders)

    async def authorize(
        self, tx: Transaction, charges: Sequence[domain.Charge]
    ) -> list[domain.Refusal | None]:
        """Hold each charge, or say why not: an answer each, as if they came one by one."""
        accounts = await self._opened(tx, {charge.customer_id for charge in charges})
        answers: list[domain.Refusal | None] = []
        held: list[domain.Charge] = []
        for charge in charges:
            # Against what the batch's earlier charges left: the rows still say what was before.
            after = domain.authorize(accounts[charge.customer_id], charge)
            if isinstance(after, domain.Refusal):
                answers.append(after)
                continue
            accounts[charge.customer_id] = after
            held.append(charge)
            answers.append(None)
        if held:
            await repository.add_payments(tx, held)
            await self._book(tx, held, domain.AUTHORIZE, accounts)
        return answers

    async def capture(self, tx: Transaction, orders: Sequence[UUID]) -> list[domain.Charge]:
        """Take what is held for each of these orders: the charges, in order."""
        charges = await repository.end_payments(tx, orders, "captured")
        await self._settle(tx, charges, domain.CAPTURE)
        return charges

    async def void(self, tx: Transaction, orders: Sequence[UUID]) -> list[domain.Charge]:
        """Give back what is held for each of these orders: the charges, in order."""
        charges = await repository.end_payments(tx, orders, "voided")
        await self._settle(tx, charges, domain.VOID)
        return charges

    async def _opened(
        self, tx: Transaction, customers: Collection[str]
    ) -> dict[str, domain.Account]:
        """These customers' accounts, locked until `tx` ends."""
        if accounts := await repository.lock_accounts(tx, customers):
            return accounts
        await self._open(tx, customers)
        return await repository.lock_accounts(tx, customers)

    async def _open(self, tx: Transaction, customers: Collection[str]) -> None:
        await repository.open_accounts(
            tx, customers, limit_minor=self._default_limit_minor, currency=self._default_currency
        )

    async def _settle(
        self, tx: Transaction, charges: Sequence[domain.Charge], move: domain.Move
    ) -> None:
        accounts = await repository.lock_accounts(tx, {charge.customer_id for charge in charges})
        for charge in charges:
            before = accounts[charge.customer_id]
            accounts[charge.customer_id] = domain.moved(before, move, charge.amount_minor)
        await self._book(tx, charges, move, accounts)

    async def _book(
        self,
        tx: Transaction,
        charges: Sequence[domain.Charge],
        move: domain.Move,
        accounts: dict[str, domain.Account],
    ) -> None:
        changed = {charge.customer_id for charge in charges}
        await repository.book(tx, charges, move, [accounts[each] for each in sorted(changed)])
