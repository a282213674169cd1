"""What payment does about each command, at a provider; the batch's orders are all different."""

from collections.abc import Sequence
from typing import TypeAlias

from payment_service import domain
from payment_service.provider import Provider
from sagaline.chassis.database import Transaction
from sagaline.chassis.handlers import Asked, LockingTable
from schemas.messages import (
    AuthorizePayment,
    CapturePayment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentRefused,
    PaymentVoided,
    VoidPayment,
)

Answer: TypeAlias = PaymentAuthorized | PaymentRefused


def commands(provider: Provider) -> LockingTable:
    """The dispatch table, for this provider."""

    async def authorize_payment(tx: Transaction, batch: Sequence[AuthorizePayment]) -> list[Answer]:
        refusals = await provider.authorize(tx, [_charge(order) for order in batch])
        return [_answer(order, no) for order, no in zip(batch, refusals, strict=True)]

    async def capture_payment(
        tx: Transaction, batch: Sequence[CapturePayment]
    ) -> list[PaymentCaptured]:
        charges = await provider.capture(tx, [order.order_id for order in batch])
        return [
            PaymentCaptured(
                order_id=charge.order_id,
                amount_minor=charge.amount_minor,
                currency=charge.currency,
            )
            for charge in charges
        ]

    async def void_payment(tx: Transaction, batch: Sequence[VoidPayment]) -> list[PaymentVoided]:
        charges = await provider.void(tx, [order.order_id for order in batch])
        return [PaymentVoided(order_id=charge.order_id) for charge in charges]

    async def lock_accounts(tx: Transaction, asked: Asked) -> None:
        charges = [_charge(order) for order in asked.get(AuthorizePayment, ())]
        ending = (*asked.get(CapturePayment, ()), *asked.get(VoidPayment, ()))
        await provider.lock(tx, charges, [order.order_id for order in ending])

    return LockingTable(
        {
            AuthorizePayment: authorize_payment,
            CapturePayment: capture_payment,
            VoidPayment: void_payment,
        },
        lock=lock_accounts,
    )


def _charge(order: AuthorizePayment) -> domain.Charge:
    return domain.Charge(order.order_id, order.customer_id, order.amount_minor, order.currency)


def _answer(order: AuthorizePayment, refusal: domain.Refusal | None) -> Answer:
    if refusal is None:
        return PaymentAuthorized(order_id=order.order_id)
    return PaymentRefused(order_id=order.order_id, code=refusal.code, detail=refusal.detail)
