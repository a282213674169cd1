"""What can't work is told when a definition is made or loaded, in words that help."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Unpack

import pytest

from sagaline.engine.definition import (
    DefinitionError,
    LimitChanges,
    Refusal,
    Saga,
    Step,
    compensatable,
    parallel,
    pivot,
    retriable,
)
from sagaline.testing.samples import messages_beside
from tests.unit.engine import shop
from tests.unit.engine.shop import (
    PLACE_ORDER,
    TRIP,
    Commit,
    Confirm,
    Create,
    Created,
    Order,
    OutOfStock,
    Release,
    Reserved,
    Tell,
    Void,
)

MESSAGES = messages_beside(Order)


def saga(*steps: Step | tuple[Step, ...], then: tuple[Step, ...] = ()) -> Saga:
    return Saga("a-saga", version=1, steps=steps, when_compensated=then)


def create_order(name: str = "create_order") -> Step:
    return compensatable(name, shop.create, undo=shop.reject)


def reserve_stock() -> Step:
    return compensatable("reserve_stock", shop.reserve, undo=shop.release)


def confirm_order(name: str = "confirm_order") -> Step:
    return pivot(name, shop.capture)


def commit_stock(name: str = "commit_stock") -> Step:
    return retriable(name, shop.commit)


def release_what_was_reserved(order: Order, stock: Reserved) -> Release:
    return Release(stock.order_id)


def confirm_what_was_refused(order: Order, refused: OutOfStock) -> Confirm:
    return Confirm(refused.order_id, 0)


def confirm_with_the_refusal(order: Order, refusal: Refusal) -> Confirm:
    return Confirm(order.order_id, 0)


def void_what_was_reserved(order: Order, stock: Reserved) -> Void:
    return Void(stock.order_id)


def nothing_to_build_from() -> Create:
    return Create("4711")


def create_from_a_reply(created: Created) -> Create:
    return Create(created.order_id)


def tell_what_was_reserved(order: Order, stock: Reserved) -> Tell:
    return Tell(order.order_id, str(stock))


def unannotated(order) -> Commit:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the mistake
    return Commit(order.order_id)


def without_result(order: Order):  # type: ignore[no-untyped-def]  # noqa: ANN201 - the mistake
    return Commit(order.order_id)


def unresolved(order: "Nowhere") -> Commit:  # type: ignore[name-defined]  # noqa: F821 - it is
    return Commit(order.order_id)


def either(order: Order, stock: Reserved | Created) -> Commit:
    return Commit(order.order_id)


WRONG_SHAPES = {
    "two steps are named 'create_order'": lambda: saga(
        create_order(), create_order(), confirm_order()
    ),
    "is no step name": lambda: saga(create_order("create order"), confirm_order()),
    "a parallel group is empty": lambda: saga(create_order(), parallel(), confirm_order()),
    "exactly one pivot, not []": lambda: saga(create_order()),
    "exactly one pivot, not ['confirm_order', 'again']": lambda: saga(
        confirm_order(), confirm_order("again")
    ),
    "create_order: compensatable after the pivot": lambda: saga(confirm_order(), create_order()),
    "commit_stock: retriable before the pivot": lambda: saga(commit_stock(), confirm_order()),
    "the pivot stands alone": lambda: saga(parallel(create_order(), confirm_order())),
    "when_compensated takes retriable steps": lambda: saga(
        create_order(), confirm_order(), then=(reserve_stock(),)
    ),
    "timeout_ms must be > 0": lambda: pivot("confirm_order", shop.confirm, timeout_ms=0),
    "backoff must be": lambda: pivot("confirm_order", shop.confirm, backoff_min_ms=60_000),
}
WRONG_FLOWS = {
    "its own action's reply shop.Reserved": lambda: saga(
        compensatable("reserve_stock", shop.reserve, undo=release_what_was_reserved),
        confirm_order(),
    ),
    "confirm_order: shop.Confirm asks for shop.Reserved, which is neither": lambda: saga(
        create_order(), pivot("confirm_order", shop.confirm)
    ),
    "a sibling's reply": lambda: saga(
        create_order(),
        parallel(
            reserve_stock(),
            compensatable("authorize_payment", shop.authorize, undo=shop.void_blindly),
        ),
        confirm_order(),
    ),
    "a sibling's reply, they run": lambda: saga(
        parallel(
            reserve_stock(),
            compensatable("authorize_payment", shop.authorize_blindly, undo=void_what_was_reserved),
        ),
        confirm_order(),
    ),
    "shop.OutOfStock has outcome refused": lambda: saga(
        reserve_stock(), pivot("confirm_order", confirm_what_was_refused)
    ),
    "can't ask for a Refusal": lambda: saga(
        create_order(), pivot("confirm_order", confirm_with_the_refusal)
    ),
    "shop.Reserved is ambiguous, reserve_stock and reserve_more declare it": lambda: saga(
        reserve_stock(),
        compensatable("reserve_more", shop.reserve, undo=shop.release),
        pivot("confirm_order", shop.confirm),
    ),
    "surely succeeded before": lambda: saga(
        reserve_stock(), confirm_order(), then=(retriable("tell", tell_what_was_reserved),)
    ),
    "the first step is built from the input": lambda: saga(
        compensatable("create_order", nothing_to_build_from, undo=shop.reject), confirm_order()
    ),
    "first parameter is the saga's input": lambda: saga(
        compensatable("create_order", create_from_a_reply, undo=shop.reject), confirm_order()
    ),
    "unannotated: 'order' has no annotation": lambda: retriable("commit_stock", unannotated),
    "without_result: 'return' has no annotation": lambda: retriable("commit", without_result),
    "unresolved: an annotation can't be resolved": lambda: retriable("commit", unresolved),
    "either: 'stock' must be annotated with one message class": lambda: retriable("c", either),
}


@pytest.mark.parametrize("text", [*WRONG_SHAPES, *WRONG_FLOWS])
def test_a_definition_that_cannot_work_is_refused(text: str) -> None:
    define: Callable[[], object] = (WRONG_SHAPES | WRONG_FLOWS)[text]
    with pytest.raises(DefinitionError) as caught:
        define()
    assert text in str(caught.value)


@dataclass(frozen=True)
class Silent:
    """A command that declares no replies."""

    avro_name = "shop.Silent"


def stay_silent(order: Order) -> Silent:
    return Silent()


def without(name: str) -> dict[str, type]:
    return {other: message for other, message in MESSAGES.items() if other != name}


WRONG_CATALOGS: dict[str, dict[str, type]] = {
    "Reserve declares shop.OutOfStock: not in the catalog": without("shop.OutOfStock"),
    "shop.Reserve is not in the catalog": without("shop.Reserve"),
    "its input shop.Order is not in the catalog": without("shop.Order"),
    "shop.OutOfStock has no outcome, so it is no reply": MESSAGES | {"shop.OutOfStock": Order},
    "shop.OutOfStock has outcome undone": MESSAGES | {"shop.OutOfStock": shop.Released},
    "reserve_stock: no reply says succeeded": MESSAGES | {"shop.Reserved": OutOfStock},
    "but another success may come instead": MESSAGES | {"shop.OutOfStock": Created},
    "no reply to its undo says undone": MESSAGES | {"shop.Released": shop.VoidRefused},
}


@pytest.mark.parametrize("text", WRONG_CATALOGS)
def test_a_definition_that_the_catalog_does_not_bear_out_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        PLACE_ORDER.check(WRONG_CATALOGS[text])
    assert text in str(caught.value)


def test_a_command_declares_its_replies() -> None:
    silent = saga(pivot("confirm_order", stay_silent))
    with pytest.raises(DefinitionError, match=r"shop\.Silent declares no replies"):
        silent.check(MESSAGES | {"shop.Silent": Silent})


@pytest.mark.parametrize("definition", [PLACE_ORDER, TRIP], ids=["place-order", "trip"])
def test_what_works_is_accepted(definition: Saga) -> None:
    definition.check(MESSAGES)
    assert definition.input is Order
    assert definition.pivot.name == "confirm_order"


def test_the_hash_tells_all_that_decides_how_a_saga_runs() -> None:
    def one(**limits: Unpack[LimitChanges]) -> Saga:
        step = compensatable("create_order", shop.create, undo=shop.reject, **limits)
        return saga(step, confirm_order())

    others = (
        one(timeout_ms=5_000),
        one(resends_max=1),
        saga(create_order("create"), confirm_order()),
        saga(confirm_order()),
        saga(create_order(), pivot("confirm_order", shop.commit)),
        saga(create_order(), confirm_order(), then=(commit_stock(),)),
        saga(create_order(), confirm_order(), commit_stock()),
    )
    assert one().hash == one().hash
    assert len({one().hash, *(other.hash for other in others)}) == 1 + len(others)


def test_a_whole_definition_can_be_given_other_limits() -> None:
    quick = PLACE_ORDER.with_timeouts(timeout_ms=2_000, resends_max=1)
    assert {s.limits.timeout_ms for s in quick.by_name.values()} == {2_000}
    assert {s.limits.resends_max for s in quick.by_name.values()} == {1}
    assert quick.by_name.keys() == PLACE_ORDER.by_name.keys()
    assert quick.hash != PLACE_ORDER.hash


def test_each_attempt_waits_longer_up_to_a_maximum() -> None:
    limits = PLACE_ORDER.pivot.limits
    waits = [limits.wait_ms(attempt) for attempt in range(1, 9)]
    assert waits == [10_000, 11_000, 12_000, 14_000, 18_000, 26_000, 40_000, 40_000]
    assert limits.wait_ms(1_000) == 40_000
