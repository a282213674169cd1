"""What a customer is told, and under which id."""

from uuid import UUID

from notification_service import domain

ORDER = UUID("0197d3c8-0000-7000-8000-000000000001")


def test_a_confirmation_says_what_is_to_be_paid() -> None:
    told = domain.confirmation(ORDER, "ann", total="12.50 EUR")
    assert told.body == f"We have confirmed your order {ORDER}. You pay 12.50 EUR."


def test_a_rejection_says_why() -> None:
    told = domain.rejection(ORDER, "ann", reason="2 of DESK are wanted, 1 are free.")
    assert told.body.endswith("and you pay nothing. 2 of DESK are wanted, 1 are free.")


def test_the_id_is_the_same_each_time_and_another_for_each_kind() -> None:
    first = domain.confirmation(ORDER, "ann", total="1.00 EUR").notification_id
    assert domain.confirmation(ORDER, "bob", total="2.00 EUR").notification_id == first
    assert domain.rejection(ORDER, "ann", reason="").notification_id != first
