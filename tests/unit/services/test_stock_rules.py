"""What one order may take from the shelves."""

from hypothesis import given
from hypothesis import strategies as st

from inventory_service import domain
from inventory_service.domain import Offer, Refusal, reserve

SKUS = ["LAMP", "DESK", "CHAIR", "SOFA"]
OFFERS = st.dictionaries(
    st.sampled_from(SKUS[:3]),
    st.builds(
        Offer,
        free=st.integers(0, 20),
        price_minor=st.integers(0, 10_000),
        currency=st.sampled_from(["EUR", "USD"]),
    ),
)
ORDERS = st.lists(
    st.dictionaries(st.sampled_from(SKUS), st.integers(1, 12), min_size=1, max_size=4),
    max_size=12,
)


def taken(before: domain.Offers, after: domain.Offers, sku: str) -> int:
    return before[sku].free - after[sku].free


@given(OFFERS, ORDERS)
def test_nothing_is_ever_oversold_and_an_order_gets_all_or_nothing(
    offers: domain.Offers, orders: list[dict[str, int]]
) -> None:
    left = offers
    for order in orders:
        after = reserve(left, order.items(), currency="EUR")
        if isinstance(after, Refusal):
            continue
        assert all(taken(left, after, sku) == order.get(sku, 0) for sku in after)
        assert all(offer.free >= 0 for offer in after.values())
        left = after
    assert left.keys() == offers.keys()


@given(OFFERS, ORDERS)
def test_an_order_is_refused_only_for_a_line_that_cannot_be_met(
    offers: domain.Offers, orders: list[dict[str, int]]
) -> None:
    for order in orders:
        answer = reserve(offers, order.items(), currency="EUR")
        if not isinstance(answer, Refusal):
            continue
        offer = offers.get(answer.sku)
        match answer.code:
            case "unknown_sku":
                assert offer is None
            case "other_currency":
                assert offer is not None
                assert offer.currency != "EUR"
            case "out_of_stock":
                assert offer is not None
                assert offer.free < order[answer.sku]


@given(OFFERS, ORDERS)
def test_deciding_leaves_the_offers_it_was_given_alone(
    offers: dict[str, Offer], orders: list[dict[str, int]]
) -> None:
    before = dict(offers)
    for order in orders:
        reserve(offers, order.items(), currency="EUR")
    assert offers == before


def test_the_refusal_names_the_first_line_that_cannot_be_met() -> None:
    offers = {"LAMP": Offer(5, 100, "EUR"), "DESK": Offer(1, 900, "EUR")}
    answer = reserve(offers, [("LAMP", 5), ("DESK", 2), ("SOFA", 1)], currency="EUR")
    assert answer == Refusal("DESK", "out_of_stock", "2 of DESK are wanted, 1 are free.")


def test_the_last_unit_can_be_had_but_not_twice() -> None:
    left = reserve({"LAMP": Offer(1, 100, "EUR")}, [("LAMP", 1)], currency="EUR")
    assert not isinstance(left, Refusal)
    assert left["LAMP"].free == 0
    again = reserve(left, [("LAMP", 1)], currency="EUR")
    assert isinstance(again, Refusal)
    assert again.code == "out_of_stock"
