"""Which tags a client may know an order by."""

import pytest

from gateway_service import etags
from tests.unit.gateway.test_orders_shown import placed


def test_each_sequence_has_a_tag_of_its_own() -> None:
    views = [None, placed(sequence=3).view, placed(sequence=4).view]
    assert [etags.etag(view) for view in views] == ['W/"0"', 'W/"3"', 'W/"4"']


@pytest.mark.parametrize("known", ['W/"3"', '"3"', "*", 'W/"1", W/"3"', '"a,b" , "3"'])
def test_a_client_that_knows_the_tag_is_recognised(known: str) -> None:
    assert etags.matches([known], 'W/"3"')
    assert etags.matches(['"7"', known], 'W/"3"')


@pytest.mark.parametrize("known", ["", "3", 'W/"33"', '"', 'W/"4", "5"', '"3'])
def test_one_that_knows_another_or_none_is_not(known: str) -> None:
    assert not etags.matches([known], 'W/"3"')
