"""The driver's UUIDs are UUIDs, and what is none is an error as it is with the library's."""

from uuid import RFC_4122, UUID
from uuid import uuid5 as slow_uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagaline.chassis.quick_uuid import QuickUUID, uuid4, uuid5


@given(st.uuids())
def test_it_is_the_same_uuid(plain: UUID) -> None:
    quick = QuickUUID(str(plain))
    assert isinstance(quick, UUID)
    assert (quick, str(quick), hash(quick)) == (plain, str(plain), hash(plain))
    assert {plain: 1}[quick] == 1


@given(st.uuids(), st.text())
def test_a_name_has_the_uuid_that_the_library_gives_it(namespace: UUID, name: str) -> None:
    quick = uuid5(QuickUUID(str(namespace)), name)
    assert quick == uuid5(namespace, name) == slow_uuid5(namespace, name)
    assert (quick.version, quick.variant) == (5, slow_uuid5(namespace, name).variant)


@given(st.text(max_size=40) | st.text("0123456789abcdefABCDEF-{}", min_size=30, max_size=38))
def test_what_it_takes_the_library_takes_too(text: str) -> None:
    try:
        found = QuickUUID(text)
    except ValueError:
        return
    assert found == UUID(text)


@pytest.mark.parametrize("text", ["", "x", "0" * 31, "0" * 33, "\0" * 36, "é" * 36])
def test_what_is_no_uuid_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="invalid UUID"):
        QuickUUID(text)


def test_a_random_one_says_that_it_is_random() -> None:
    one, another = uuid4(), uuid4()
    assert one != another
    assert (one.version, one.variant) == (4, RFC_4122)
