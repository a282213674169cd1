"""`transfer`: the annotations are the data flow, checked when this is loaded."""

from sagaline.engine.definition import Saga, compensatable, pivot, retriable
from schemas.messages import GivePoints, HoldPoints, ReleasePoints, StartTransfer, TakePoints


def hold_points(transfer: StartTransfer) -> HoldPoints:
    """Set the points aside."""
    return HoldPoints(
        transfer_id=transfer.transfer_id,
        account_id=transfer.from_account,
        points=transfer.points,
    )


def release_points(transfer: StartTransfer) -> ReleasePoints:
    """Undo it."""
    return ReleasePoints(transfer_id=transfer.transfer_id)


def give_points(transfer: StartTransfer) -> GivePoints:
    """Decide: once they are given, the transfer has happened."""
    return GivePoints(
        transfer_id=transfer.transfer_id, account_id=transfer.to_account, points=transfer.points
    )


def take_points(transfer: StartTransfer) -> TakePoints:
    """Take what was set aside, for good."""
    return TakePoints(transfer_id=transfer.transfer_id)


TRANSFER = Saga(
    "transfer",
    version=1,
    steps=(
        compensatable("hold_points", hold_points, undo=release_points),
        pivot("give_points", give_points),
        retriable("take_points", take_points),
    ),
)
