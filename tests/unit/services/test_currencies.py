"""Which currencies there are, and how amounts in them are written."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.currencies import CURRENCIES, IN_THOUSANDTHS, WITHOUT_MINOR_UNIT, Currency, written


@pytest.mark.parametrize(
    "amount_minor, currency, text",
    [
        (1250, "EUR", "12.50 EUR"),
        (5, "EUR", "0.05 EUR"),
        (-5, "USD", "-0.05 USD"),
        (1250, "JPY", "1250 JPY"),
        (1250, "KWD", "1.250 KWD"),
    ],
)
def test_an_amount_is_written_in_whole_units(amount_minor: int, currency: str, text: str) -> None:
    assert written(amount_minor, currency) == text


@pytest.mark.parametrize("code", ["eur", "XXX", "EURO", "", "E\0R"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Currency).validate_python(code)


def test_every_exception_of_the_minor_unit_is_a_currency() -> None:
    assert WITHOUT_MINOR_UNIT | IN_THOUSANDTHS <= CURRENCIES
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)
