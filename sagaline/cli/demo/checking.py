"""Holds what the demo saw against what had to come: outcomes, effects, and the services' books."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from rich.console import Console

from sagaline.cli.demo.cases import CREDITS, STOCKS, BadRequest, Case
from sagaline.cli.output import amounts, print_table
from sagaline.local import books
from sagaline.local.answers import problem_text
from sagaline.local.client import INVENTORY, PAYMENT, Client
from sagaline.local.views import Account, Order, Shelf

QUIET_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that had to come, and what came."""

    what: str
    expected: str
    seen: str

    @property
    def ok(self) -> bool:
        """Whether it came as expected."""
        return self.expected == self.seen


def outcome(case: Case, order: Order) -> Finding:
    """Hold an order's end against its case."""
    seen = _words(order.status, order.reason.code if order.reason else None)
    return Finding(case.title, _words(case.status, case.code), seen)


def same_order(case: Case, first: UUID, second: UUID) -> Finding:
    """Hold the answers to two posts with one key against each other."""
    seen = "one order" if first == second else "two orders"
    return Finding(f"{case.title}: answers", "one order", seen)


async def refused(client: Client, bad: BadRequest, *, key: str | None = None) -> Finding:
    """Post a body that is no order, and see it refused."""
    answer = await client.post_order(bad.body, key=key)
    text = problem_text(answer)
    named = bad.names if bad.names.lower() in text.lower() else repr(text)
    return Finding(bad.title, f"{bad.status} {bad.names}", f"{answer.status_code} {named}")


async def effects(client: Client, orders: Mapping[UUID, Case]) -> list[Finding]:
    """Hold shelves, accounts and messages against what the orders must have done to them."""
    found = []
    for stock in STOCKS:
        shelf = Shelf.model_validate(await client.get(INVENTORY, f"/stock/{stock.sku}"))
        seen = f"{shelf.on_hand} on hand{_besides(shelf.reserved, 'reserved')}"
        found.append(Finding(f"shelf {stock.sku}", f"{stock.after} on hand", seen))
    for credit in CREDITS:
        path = f"/accounts/{credit.customer_id}"
        account = Account.model_validate(await client.get(PAYMENT, path))
        open_minor = _besides(account.authorized_minor, "authorized")
        seen = f"{account.captured_minor} captured{open_minor}"
        expected = f"{credit.captured_minor} captured"
        found.append(Finding(f"account {credit.customer_id}", expected, seen))
    for order_id, case in orders.items():
        expected = "confirmation" if case.status == "CONFIRMED" else "rejection"
        kinds = await client.notifications(order_id)
        found.append(Finding(f"told: {case.title}", expected, ", ".join(kinds) or "nothing"))
    return found


async def agreement(client: Client) -> list[Finding]:
    """Hold the books of the four services against each other, once nothing is under way."""
    ledger = await books.quiet(client, within_s=QUIET_WITHIN_S)
    found = [Finding(c.what, amounts(c.left), amounts(c.right)) for c in ledger.checks]
    own = [problem for book in ledger.own for problem in book.problems]
    balanced = all(book.balanced for book in ledger.own)
    seen = "yes" if balanced else "; ".join(own) or "no"
    return [*found, Finding("each one balances", "yes", seen)]


def show(out: Console, title: str, heads: tuple[str, str], found: Iterable[Finding]) -> None:
    """Print findings as a table."""
    rows = [(f.what, f.expected, f.seen, "ok" if f.ok else "WRONG") for f in found]
    out.print()
    print_table(out, (title, *heads, ""), rows)


def _words(status: str, code: str | None) -> str:
    return f"{status} {code}" if code else status


def _besides(amount: int, word: str) -> str:
    """Name an amount that should be nothing, if it is something."""
    return f", {amount} {word}" if amount else ""
