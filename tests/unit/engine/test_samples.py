"""Made-up messages: as much like the saga's input as they can be."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, Field

from sagaline.testing.samples import sample


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int


@dataclass(frozen=True)
class Basket:
    basket_id: UUID
    lines: tuple[Line, ...]
    code: Literal["small", "large"]
    note: str | None
    paid_at: datetime
    weight: Annotated[int, "grams"]
    colour: str = "red"


class Receipt(BaseModel):
    basket_id: UUID
    amount_minor: Annotated[int, Field(ge=0)]
    paid_at: AwareDatetime


def test_a_sample_has_what_its_class_asks_for() -> None:
    made = sample(Basket, note="by hand")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    line = Line("sample", 1)
    assert made == Basket(UUID(int=1), (line,), "small", "by hand", at, 1, "red")


def test_a_sample_has_the_ids_of_what_it_is_like_and_not_its_records() -> None:
    basket = Basket(UUID(int=7), (), "large", None, datetime(2025, 1, 1, tzinfo=UTC), 5)
    receipt = sample(Receipt, like=basket)
    assert isinstance(receipt, Receipt)
    assert (receipt.basket_id, receipt.paid_at) == (basket.basket_id, basket.paid_at)
    assert sample(Basket, like=basket, note=None).lines == (Line("sample", 1),)  # type: ignore[attr-defined]  # it is a Basket


def test_what_has_no_sample_is_named() -> None:
    @dataclass
    class Odd:
        thing: complex

    with pytest.raises(TypeError, match="thing"):
        sample(Odd)
