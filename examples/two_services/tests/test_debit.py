"""One service's handlers, on a database of their own."""

from uuid import UUID

from debit_service import handlers
from sagaline.testing import Databases
from schemas.messages import HoldPoints, HoldRefused, PointsHeld, ReleasePoints

ONE, TWO = UUID(int=1), UUID(int=2)


async def test_what_two_transfers_want_of_one_account_is_added_up(databases: Databases) -> None:
    async with databases.opened("debit_service") as database, database.transaction() as tx:
        await tx.run("INSERT INTO account VALUES ('ada', 50)")
        batch = [HoldPoints(transfer_id=each, account_id="ada", points=40) for each in (ONE, TWO)]
        first, second = await handlers.hold_points(tx, batch)
        assert isinstance(first, PointsHeld)
        assert isinstance(second, HoldRefused)
        assert second.detail == "ada has 10 points, 40 are wanted."
        await handlers.release_points(tx, [ReleasePoints(transfer_id=ONE)])
        assert (await tx.fetch("SELECT points FROM account"))[0]["points"] == 50
