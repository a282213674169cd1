"""What is done about each command. A batch has many transfers, and at most one command of each.

One statement for the whole batch, rows locked in the order of their keys. What the chassis sees to:
a command that comes twice is not executed twice, and reply and effect are committed together.
"""

from collections.abc import Sequence

from sagaline.chassis.database import Transaction
from sagaline.chassis.handlers import HandlerTable
from schemas.messages import (
    HoldPoints,
    HoldRefused,
    PointsHeld,
    PointsReleased,
    PointsTaken,
    ReleasePoints,
    TakePoints,
)

LOCK = "SELECT account_id, points FROM account WHERE account_id = ANY($1) ORDER BY 1 FOR UPDATE"
SET = """
    UPDATE account SET points = given.points
    FROM unnest($1::text[], $2::bigint[]) AS given (account_id, points)
    WHERE account.account_id = given.account_id
"""
HOLD = """
    INSERT INTO hold (transfer_id, account_id, points)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])
"""
RELEASE = "DELETE FROM hold WHERE transfer_id = ANY($1) RETURNING account_id, points"
TAKE = "UPDATE hold SET taken = true WHERE transfer_id = ANY($1)"


async def hold_points(
    tx: Transaction, batch: Sequence[HoldPoints]
) -> list[PointsHeld | HoldRefused]:
    """Set the points aside where there are enough."""
    rows = await tx.fetch(LOCK, [asked.account_id for asked in batch])
    left = {row["account_id"]: row["points"] for row in rows}
    held: list[HoldPoints] = []
    replies: list[PointsHeld | HoldRefused] = []
    for asked in batch:
        has = left.get(asked.account_id, 0)
        if has < asked.points:
            detail = f"{asked.account_id} has {has} points, {asked.points} are wanted."
            refusal = HoldRefused(
                transfer_id=asked.transfer_id, code="too_few_points", detail=detail
            )
            replies.append(refusal)
            continue
        left[asked.account_id] = has - asked.points
        held.append(asked)
        replies.append(PointsHeld(transfer_id=asked.transfer_id))
    await tx.run(SET, list(left), list(left.values()))
    await tx.run(
        HOLD,
        [asked.transfer_id for asked in held],
        [asked.account_id for asked in held],
        [asked.points for asked in held],
    )
    return replies


async def release_points(tx: Transaction, batch: Sequence[ReleasePoints]) -> list[PointsReleased]:
    """Give back what is held."""
    released = await tx.fetch(RELEASE, [asked.transfer_id for asked in batch])
    rows = await tx.fetch(LOCK, [row["account_id"] for row in released])
    left = {row["account_id"]: row["points"] for row in rows}
    for row in released:
        left[row["account_id"]] += row["points"]
    await tx.run(SET, list(left), list(left.values()))
    return [PointsReleased(transfer_id=asked.transfer_id) for asked in batch]


async def take_points(tx: Transaction, batch: Sequence[TakePoints]) -> list[PointsTaken]:
    """What is held is gone for good."""
    await tx.run(TAKE, [asked.transfer_id for asked in batch])
    return [PointsTaken(transfer_id=asked.transfer_id) for asked in batch]


COMMANDS: HandlerTable = {
    HoldPoints: hold_points,
    ReleasePoints: release_points,
    TakePoints: take_points,
}
