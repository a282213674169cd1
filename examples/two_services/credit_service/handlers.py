"""What is done about each command."""

from collections import Counter
from collections.abc import Sequence

from sagaline.chassis.database import Transaction
from sagaline.chassis.handlers import HandlerTable
from schemas.messages import GiftRefused, GivePoints, PointsGiven

LOCK = "SELECT account_id FROM account WHERE account_id = ANY($1) ORDER BY 1 FOR UPDATE"
ADD = """
    UPDATE account SET points = account.points + given.points
    FROM unnest($1::text[], $2::bigint[]) AS given (account_id, points)
    WHERE account.account_id = given.account_id
"""


async def give_points(
    tx: Transaction, batch: Sequence[GivePoints]
) -> list[PointsGiven | GiftRefused]:
    """Add the points to the accounts that are there."""
    rows = await tx.fetch(LOCK, [asked.account_id for asked in batch])
    known = {row["account_id"] for row in rows}
    given: Counter[str] = Counter()
    replies: list[PointsGiven | GiftRefused] = []
    for asked in batch:
        if asked.account_id in known:
            given[asked.account_id] += asked.points
            replies.append(PointsGiven(transfer_id=asked.transfer_id))
        else:
            detail = f"There is no account {asked.account_id}."
            refusal = GiftRefused(
                transfer_id=asked.transfer_id, code="unknown_account", detail=detail
            )
            replies.append(refusal)
    await tx.run(ADD, list(given), list(given.values()))
    return replies


COMMANDS: HandlerTable = {GivePoints: give_points}
