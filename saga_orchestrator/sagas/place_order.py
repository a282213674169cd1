"""`place-order`: an order is confirmed with its stock and money, or none of it ever happened.

The annotations are the data flow: each builder is given the order and the replies that it asks for.
They are checked when the definition is loaded.
"""

from sagaline.engine.definition import (
    Refusal,
    Saga,
    compensatable,
    parallel,
    pivot,
    retriable,
)
from schemas.messages import (
    AuthorizePayment,
    CapturePayment,
    CommitStock,
    ConfirmOrder,
    CreateOrder,
    PlaceOrder,
    RejectOrder,
    ReleaseStock,
    ReserveStock,
    SendConfirmation,
    SendRejection,
    StockReserved,
    VoidPayment,
)


def create_order(order: PlaceOrder) -> CreateOrder:
    """Write the order down as pending."""
    return CreateOrder(
        order_id=order.order_id,
        customer_id=order.customer_id,
        currency=order.currency,
        lines=order.lines,
        placed_at=order.placed_at,
    )


def reject_order(order: PlaceOrder) -> RejectOrder:
    """Close the order as rejected."""
    return RejectOrder(order_id=order.order_id)


def reserve_stock(order: PlaceOrder) -> ReserveStock:
    """Ask for every line or none; the reply carries the prices."""
    return ReserveStock(order_id=order.order_id, currency=order.currency, lines=order.lines)


def release_stock(order: PlaceOrder) -> ReleaseStock:
    """Give back what was reserved."""
    return ReleaseStock(order_id=order.order_id)


def authorize_payment(order: PlaceOrder, stock: StockReserved) -> AuthorizePayment:
    """Hold what inventory priced."""
    return AuthorizePayment(
        order_id=order.order_id,
        customer_id=order.customer_id,
        amount_minor=stock.total_minor,
        currency=stock.currency,
    )


def void_payment(order: PlaceOrder) -> VoidPayment:
    """Let go of what is held."""
    return VoidPayment(order_id=order.order_id)


def confirm_order(order: PlaceOrder, stock: StockReserved) -> ConfirmOrder:
    """Decide: from here on the order is the customer's."""
    return ConfirmOrder(
        order_id=order.order_id, total_minor=stock.total_minor, currency=stock.currency
    )


def commit_stock(order: PlaceOrder) -> CommitStock:
    """Take the reserved units off the shelves."""
    return CommitStock(order_id=order.order_id)


def capture_payment(order: PlaceOrder) -> CapturePayment:
    """Take the money that is held."""
    return CapturePayment(order_id=order.order_id)


def send_confirmation(order: PlaceOrder, stock: StockReserved) -> SendConfirmation:
    """Tell the customer what was confirmed, and for how much."""
    return SendConfirmation(
        order_id=order.order_id,
        customer_id=order.customer_id,
        total_minor=stock.total_minor,
        currency=stock.currency,
    )


def send_rejection(order: PlaceOrder, why: Refusal) -> SendRejection:
    """Tell the customer why nothing came of it."""
    return SendRejection(
        order_id=order.order_id, customer_id=order.customer_id, code=why.code, detail=why.detail
    )


PLACE_ORDER = Saga(
    "place-order",
    version=1,
    steps=(
        parallel(
            compensatable("create_order", create_order, undo=reject_order),
            compensatable("reserve_stock", reserve_stock, undo=release_stock),
        ),
        compensatable("authorize_payment", authorize_payment, undo=void_payment),
        pivot("confirm_order", confirm_order),
        parallel(
            retriable("commit_stock", commit_stock),
            retriable("capture_payment", capture_payment),
            retriable("send_confirmation", send_confirmation),
        ),
    ),
    when_compensated=(retriable("send_rejection", send_rejection),),
)
