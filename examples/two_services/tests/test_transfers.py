"""All of it: real processes, a real Kafka, a real PostgreSQL."""

from uuid import UUID, uuid4

from sagaline.testing import Captured, RunningPlatform
from schemas.messages import GiftRefused

WITHIN_S = 60


async def an_account(platform: RunningPlatform, service: str, points: int) -> str:
    account_id = f"account-{uuid4()}"  # tests share the platform, not its accounts
    answer = await platform.http(service).put(f"/accounts/{account_id}", json={"points": points})
    answer.raise_for_status()
    return account_id


async def points(platform: RunningPlatform, service: str, account_id: str) -> object:
    return (await platform.http(service).get(f"/accounts/{account_id}")).json()["points"]


async def transferred(platform: RunningPlatform, ada: str, bob: str) -> UUID:
    new = {"from_account": ada, "to_account": bob, "points": 40}
    answer = await platform.http("debit_service").post("/transfers", json=new)
    return UUID(answer.raise_for_status().json()["transfer_id"])


async def test_points_reach_the_other_account(platform: RunningPlatform) -> None:
    ada = await an_account(platform, "debit_service", 100)
    bob = await an_account(platform, "credit_service", 0)
    transfer_id = await transferred(platform, ada, bob)
    saga = await platform.saga_of(transfer_id, "transfer").ended()
    assert saga.state == "COMPLETED"
    assert await points(platform, "debit_service", ada) == 60
    assert await points(platform, "credit_service", bob) == 40


async def test_a_transfer_to_nobody_is_undone(
    platform: RunningPlatform, captured: Captured
) -> None:
    ada = await an_account(platform, "debit_service", 100)
    transfer_id = await transferred(platform, ada, "nobody")
    saga = await platform.saga_of(transfer_id, "transfer").ended()
    assert (saga.state, saga.code) == ("COMPENSATED", "unknown_account")
    assert await points(platform, "debit_service", ada) == 100
    (reply,) = await captured("credits.replies.v1")
    assert isinstance(reply.message, GiftRefused)
    assert reply.envelope.saga_id == saga.saga_id


async def test_a_command_that_comes_twice_is_executed_once(platform: RunningPlatform) -> None:
    ada = await an_account(platform, "debit_service", 100)
    bob = await an_account(platform, "credit_service", 0)
    transfer_id = await transferred(platform, ada, bob)
    await platform.saga_of(transfer_id, "transfer").ended()
    assert await platform.publish_again("credits.commands.v1", key=transfer_id) == 1
    await platform.consumed("credits.commands.v1", within_s=WITHIN_S)
    assert await points(platform, "credit_service", bob) == 40


async def test_a_service_that_dies_holds_a_transfer_up_and_no_more(
    platform: RunningPlatform,
) -> None:
    ada = await an_account(platform, "debit_service", 100)
    bob = await an_account(platform, "credit_service", 0)
    await platform.kill("credit_service")
    transfer_id = await transferred(platform, ada, bob)
    saga = await platform.saga_of(transfer_id, "transfer").ended(within_s=WITHIN_S)
    assert saga.state == "COMPLETED"
