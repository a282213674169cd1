"""A command that comes again has its effect once, and the same answer each time."""

from tests.integration.chassis.stage import Stage

ORDERS = range(1, 13)


def reserved_once() -> dict[tuple[int, str], int]:
    return {(number, "reserved"): 1 for number in ORDERS}


async def test_twice_in_one_batch_is_one_effect_and_one_answer(stage: Stage) -> None:
    batch = [stage.action(number) for number in ORDERS]
    await stage.handle_all(*batch, *batch)
    assert stage.shop.batches == [sorted(ORDERS, key=lambda number: number % 4)]
    assert await stage.effects() == reserved_once()
    assert len(await stage.answers()) == len(ORDERS)


async def test_again_in_the_next_batch_is_answered_as_before(stage: Stage) -> None:
    batch = [stage.action(number) for number in ORDERS]
    async with stage.consuming():
        await stage.send(*batch)
        await stage.all_read()
        first = await stage.answers()
        await stage.relay_everything()
        await stage.send(*batch)
        await stage.all_read()
    assert await stage.effects() == reserved_once()
    assert sorted(await stage.answers()) == sorted(first)


async def test_again_after_a_restart_is_answered_as_before(stage: Stage) -> None:
    batch = [stage.action(number) for number in ORDERS]
    await stage.handle_all(*batch)
    first = await stage.answers()
    await stage.relay_everything()
    await stage.handle_all(*batch)
    assert await stage.effects() == reserved_once()
    assert sorted(await stage.answers()) == sorted(first)


async def test_a_batch_that_kafka_delivers_again_from_its_first_record(stage: Stage) -> None:
    # Nothing was relayed, so that Kafka's offsets stand where they stood: the positions count.
    await stage.handle_all(*(stage.action(number) for number in ORDERS))
    assert set((await stage.committed()).values()) == {0}
    await stage.handle_all(stage.action(13))
    assert stage.shop.batches[1:] == [[13]]
    assert await stage.effects() == reserved_once() | {(13, "reserved"): 1}


async def test_a_retry_by_an_operator_repeats_what_is_done_under_its_own_number(
    stage: Stage,
) -> None:
    await stage.handle_all(stage.action(1))
    await stage.handle_all(stage.action(1, generation=2))
    await stage.handle_all(stage.action(1))  # a late duplicate of the first
    first, second, late = await stage.answers()
    assert await stage.effects() == {(1, "reserved"): 1}
    assert [each.generation for each in (first, second, late)] == [1, 2, 2]
    assert first.payload == second.payload == late.payload
    assert first.message_id != second.message_id == late.message_id
