"""Four services' books against each other: each way in which they can disagree is found."""

from dataclasses import replace

import pytest

from sagaline.local.books import Ledger
from sagaline.local.views import InventoryBooks, NotificationBooks, OrderBooks, PaymentBooks

FINE = Ledger(
    order=OrderBooks(
        balanced=True,
        problems=(),
        orders={"PENDING": 0, "CONFIRMED": 2, "REJECTED": 1},
        confirmed_minor={"EUR": 700},
    ),
    inventory=InventoryBooks(
        balanced=True, problems=(), committed_minor={"EUR": 700, "USD": 0}, open_reservations=0
    ),
    payment=PaymentBooks(
        balanced=True, problems=(), captured_minor={"EUR": 700}, open_authorizations=0
    ),
    notification=NotificationBooks(balanced=True, problems=(), confirmations=2, rejections=1),
)


def test_books_that_agree_have_no_problems() -> None:
    assert FINE.problems == []
    assert FINE.open_effects == 0


def changed(book: str, **facts: object) -> Ledger:
    return replace(FINE, **{book: getattr(FINE, book).model_copy(update=facts)})


@pytest.mark.parametrize(
    ("ledger", "problem"),
    [
        (changed("payment", captured_minor={"EUR": 1_400}), "money: confirmed = captured"),
        (changed("payment", captured_minor={"EUR": 700, "USD": 1}), "money: confirmed = captured"),
        (changed("inventory", committed_minor={}), "goods: confirmed = committed"),
        (changed("notification", confirmations=3), "told: confirmed = confirmations"),
        (changed("notification", rejections=0), "told: rejected = rejections"),
        (changed("inventory", open_reservations=1), "reservations still open"),
        (changed("payment", open_authorizations=1), "authorizations still open"),
        (changed("order", balanced=False), "order: its own books do not balance"),
        (changed("payment", balanced=False, problems=("x is short",)), "payment: x is short"),
    ],
)
def test_a_disagreement_is_named(ledger: Ledger, problem: str) -> None:
    assert [p for p in ledger.problems if p.startswith(problem)], ledger.problems


def test_a_pending_order_is_an_open_effect() -> None:
    orders = {"PENDING": 1, "CONFIRMED": 2, "REJECTED": 1}
    assert changed("order", orders=orders).open_effects == 1
