"""A replay ends with each record put in once: through kills, stops and other processes."""

import signal

import pytest

from tests.integration.echo.replaying import echo, process_of, ranges, records, split
from tests.integration.echo.stage import becomes

pytestmark = pytest.mark.timeout(180)

NOTES = 40


async def test_a_replay_survives_the_kill_of_its_process_and_puts_nothing_in_twice(
    database_url: str, bootstrap: str
) -> None:
    async with process_of(database_url, bootstrap) as (service, process):
        notes = await service.notes(NOTES)
        replay_id = await service.begin(await ranges(bootstrap, notes), per_s=10)
        await becomes(lambda: service.replay(replay_id), lambda each: each["sent"] >= 10)
        process.send(signal.SIGKILL)
        await process.exit_code()
    async with process_of(database_url, bootstrap) as (service, _):
        done = await service.ended(replay_id)
        assert (done["state"], done["sent"]) == ("done", NOTES)
        for note in notes:  # twice at least: the relay may send what it sent before the kill
            await becomes(
                lambda note=note: service.http.get(f"/notes/{note}"),  # type: ignore[misc]  # bound now
                lambda answer: answer.json()["heard"] >= 2,
            )
    _, copies = split(await records(bootstrap, notes))
    assert {copy.key for copy in copies} == {str(note).encode() for note in notes}
    assert len(copies) <= NOTES + 10  # of the chunk that was under way


async def test_a_replay_goes_on_where_its_process_was_stopped_in_order(
    database_url: str, bootstrap: str
) -> None:
    async with process_of(database_url, bootstrap) as (service, process):
        notes = await service.notes(NOTES)
        replay_id = await service.begin(await ranges(bootstrap, notes), per_s=10)
        await becomes(lambda: service.replay(replay_id), lambda each: each["sent"] >= 10)
        process.send(signal.SIGTERM)
        assert await process.exit_code() == 0
    async with process_of(database_url, bootstrap) as (service, _):
        assert (await service.ended(replay_id))["sent"] == NOTES
    _, copies = split(await records(bootstrap, notes))
    assert len(copies) == NOTES
    for number in {copy.partition for copy in copies}:
        origins = [
            int(dict(copy.headers)["ce_originoffset"] or b"")
            for copy in copies
            if copy.partition == number
        ]
        assert origins == sorted(origins)


async def test_a_stopped_replay_sends_no_more_until_it_is_resumed(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(NOTES)
        replay_id = await service.begin(await ranges(bootstrap, notes), per_s=10)
        await becomes(lambda: service.replay(replay_id), lambda each: each["sent"] >= 10)
        answer = await service.operators.post(f"/replays/{replay_id}/stop")
        assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
        again = await service.operators.post(f"/replays/{replay_id}/stop")
        assert (again.status_code, again.json()["detail"]) == (
            409,
            f"Replay {replay_id} is stopped.",
        )
        sent = (await service.replay(replay_id))["sent"]
        # A replay that comes after it is carried on to its end: nobody works on the first.
        other = await service.begin(await ranges(bootstrap, notes), keys=[str(notes[0])])
        await service.ended(other)
        assert (await service.replay(replay_id))["sent"] == sent < NOTES
        await service.operators.post(f"/replays/{replay_id}/resume")
        assert (await service.ended(replay_id))["sent"] == NOTES


async def test_two_processes_of_a_service_carry_on_one_replay_at_a_time(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as one, echo(database_url, bootstrap, slot=1) as two:
        notes = await one.notes(10)
        where = await ranges(bootstrap, notes)
        begun = [await each.begin(where, per_s=10) for each in (one, two, two)]
        seen: list[list[str]] = []

        async def states() -> list[str]:
            listed = (await one.operators.get("/replays")).json()
            by_id = {each["id"]: each for each in listed}
            replays = [by_id[str(replay_id)] for replay_id in begun]
            seen.append(["begun" if r["sent"] and r["state"] != "done" else "" for r in replays])
            return [replay["state"] for replay in replays]

        await becomes(states, lambda found: found == ["done"] * 3)
        assert max(moment.count("begun") for moment in seen) == 1
