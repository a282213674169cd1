"""Before the calls: what of a batch needs one, and what has to be resolved before that.

See docs/architecture.md, "Effects". Runs in the batch's first transaction, which holds the
positions' rows: nobody else opens or settles an intent of these partitions meanwhile.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sagaline.chassis import barrier_rows, intents
from sagaline.chassis.barrier import OUTCOME_OF_ANSWER, BarrierRow, Command, Execute, RowKey
from sagaline.chassis.batch import place_of
from sagaline.chassis.catalog import Message
from sagaline.chassis.commands import Commands, Results, judge
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Call, Effect
from sagaline.chassis.envelope import Record, call_key
from sagaline.chassis.errands import Errand, Intended
from sagaline.chassis.intents import Intent, Opening


async def intend(tx: Transaction, commands: Commands, records: Sequence[Record]) -> Intended:
    """An intent stands for each call that the records need; those opened now are `fresh`.

    Where an undo or a revoke finds its action's intent open, only that is given: it decides what
    the undo will meet.
    """
    asked = [(record, commands.command(record)) for record in records]
    rows = {row for _, command in asked for row in command.rows}
    held = await intents.find(tx, rows)
    before = [
        _resolving(commands, record, held[command.rows[0]])
        for record, command in asked
        if command.direction != "action" and command.rows[0] in held
    ]
    if before:
        return Intended(before=before)
    known = await barrier_rows.read(tx, rows)
    errands = {
        command.own: _errand(commands, record, command, held.get(command.own))
        for record, command in asked
        if isinstance(judge(command, known), Execute)
        and commands.effect_of(type(record.message)) is not None
    }
    await _open(tx, commands, [errand for errand in errands.values() if errand.fresh])
    return Intended(errands=list(errands.values()))


async def conclude(
    tx: Transaction, commands: Commands, errands: Sequence[Errand], results: Results
) -> None:
    """The actions of these errands are settled as if their commands had come just now.

    Nobody is told: what came instead of the command is answered next, and says it.
    """
    closed = await intents.close(tx, [errand.row for errand in errands])
    found = [errand for errand in errands if errand.row in closed and errand.row in results]
    rows = await barrier_rows.claim(tx, [errand.row for errand in found])
    settled: dict[RowKey, BarrierRow] = {}
    for effect, group in _by_effect(found):
        messages = [errand.call.message for errand in group]
        replies = await effect.settle(tx, messages, [results[errand.row] for errand in group])
        for errand, reply in zip(group, replies, strict=True):
            generation = max(errand.generation, rows[errand.row].generation)
            settled[errand.row] = _settled(commands, generation, reply)
    if settled:
        await barrier_rows.settle(tx, settled)


def _settled(commands: Commands, generation: int, reply: Message) -> BarrierRow:
    assert reply.outcome is not None, reply
    outcome = OUTCOME_OF_ANSWER[reply.outcome]
    return BarrierRow(generation, outcome, reply.outcome, commands.codec.encode(reply))


async def _open(tx: Transaction, commands: Commands, fresh: Sequence[Errand]) -> None:
    if not fresh:
        return
    encode = commands.codec.encode
    openings = [
        Opening(each.row, each.generation, encode(each.call.message), each.effect.port.timeout_ms)
        for each in fresh
    ]
    await intents.write(tx, openings)
    for effect, group in _by_effect(fresh):
        if effect.intend is not None:
            await effect.intend(tx, [errand.call.message for errand in group])


def _errand(commands: Commands, record: Record, command: Command, held: Intent | None) -> Errand:
    effect = commands.effect_of(type(record.message))
    assert effect is not None, record
    return Errand(
        place=place_of(record),
        row=command.own,
        generation=command.generation,
        effect=effect,
        call=Call(call_key(*command.own), record.message),
        fresh=held is None,
        overdue=_overdue(held, effect),
        traceparent=record.envelope.traceparent,
    )


def _resolving(commands: Commands, record: Record, held: Intent) -> Errand:
    """The errand to find out about an action, for the record that came instead of its command."""
    message = commands.codec.decode(held.command)
    effect = commands.effect_of(type(message))
    assert effect is not None, message  # a release that dropped the effect with its intents open
    return Errand(
        place=place_of(record),
        row=held.row,
        generation=held.generation,
        effect=effect,
        call=Call(call_key(*held.row), message),
        fresh=False,
        overdue=_overdue(held, effect),
        traceparent=record.envelope.traceparent,
    )


def _overdue(held: Intent | None, effect: Effect[Any, Any]) -> bool:
    return held is not None and held.past_deadline_ms > effect.port.margin_ms


def _by_effect(errands: Iterable[Errand]) -> list[tuple[Effect[Any, Any], list[Errand]]]:
    """The errands of each effect, in the order in which they come."""
    groups: dict[int, tuple[Effect[Any, Any], list[Errand]]] = {}
    for errand in errands:
        groups.setdefault(id(errand.effect), (errand.effect, []))[1].append(errand)
    return list(groups.values())
