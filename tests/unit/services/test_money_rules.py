"""What one order may hold on an account."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service import domain
from payment_service.domain import AUTHORIZE, CAPTURE, VOID, Account, Charge, Refusal

ORDER = UUID(int=1)
MOVES = st.lists(
    st.tuples(st.sampled_from([AUTHORIZE, CAPTURE, VOID]), st.integers(0, 60)), max_size=30
)


def charge(amount_minor: int, currency: str = "EUR") -> Charge:
    return Charge(ORDER, "ann", amount_minor, currency)


@given(st.integers(0, 200), MOVES)
def test_the_ledger_adds_up_to_the_balances_whatever_moves(
    limit_minor: int, moves: list[tuple[domain.Move, int]]
) -> None:
    account = Account("ann", limit_minor, "EUR")
    pots: dict[domain.Pot, int] = {"free": limit_minor, "authorized": 0, "captured": 0}
    for move, amount_minor in moves:
        if move == AUTHORIZE:
            after = domain.authorize(account, charge(amount_minor))
            if isinstance(after, Refusal):
                assert amount_minor > pots["free"]
                continue
        elif amount_minor > account.authorized_minor:
            continue
        else:
            after = domain.moved(account, move, amount_minor)
        source, target = move
        pots[source] -= amount_minor
        pots[target] += amount_minor
        account = after
        assert account.authorized_minor == pots["authorized"]
        assert account.captured_minor == pots["captured"]
        assert account.limit_minor - account.used_minor == pots["free"] >= 0


@given(st.lists(st.integers(0, 80), max_size=20))
def test_orders_one_after_the_other_never_exceed_the_limit(amounts: list[int]) -> None:
    account = Account("ann", 100, "EUR")
    for amount_minor in amounts:
        after = domain.authorize(account, charge(amount_minor))
        account = account if isinstance(after, Refusal) else after
    assert 0 <= account.authorized_minor <= 100


def test_credit_can_be_used_to_the_last_unit_and_no_further() -> None:
    account = domain.authorize(Account("ann", 100, "EUR"), charge(100))
    assert account == Account("ann", 100, "EUR", authorized_minor=100)
    assert isinstance(account, Account)
    refusal = domain.authorize(account, charge(1))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "credit_exceeded"


def test_an_account_is_charged_in_its_own_currency_only() -> None:
    refusal = domain.authorize(Account("ann", 100, "EUR"), charge(1, "USD"))
    expected = "The account is in EUR, not in USD."
    assert refusal == Refusal("other_currency", expected)


def test_what_is_captured_stays_used() -> None:
    account = Account("ann", 100, "EUR", authorized_minor=100)
    captured = domain.moved(account, CAPTURE, 100)
    assert (captured.authorized_minor, captured.captured_minor) == (0, 100)
    assert isinstance(domain.authorize(captured, charge(1)), Refusal)


@pytest.mark.parametrize("move", [CAPTURE, VOID])
def test_more_than_is_held_can_not_be_settled(move: domain.Move) -> None:
    with pytest.raises(AssertionError):
        domain.moved(Account("ann", 100, "EUR", authorized_minor=9), move, 10)
