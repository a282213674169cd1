"""Commands: each executed at most once and answered at least once, a batch at a time.

Around the service's handlers stands the barrier: look at the rows, or claim them, judge, run the
handlers of what is to be executed, settle the rows and publish the replies, all in the batch's one
transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from sagaline.chassis import barrier, barrier_rows, intents
from sagaline.chassis.barrier import BarrierRow, Command, RowKey
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Effect
from sagaline.chassis.envelope import Envelope, Outgoing, Record, command_id, reply_id
from sagaline.chassis.errors import MalformedEnvelope, Overtaken, UnexpectedMessage
from sagaline.chassis.handlers import EffectTable, LockingTable
from sagaline.chassis.messages import Notice, Revoke

Results: TypeAlias = Mapping[RowKey, object]  # of calls to the outside, by their intent's row

NO_RESULTS: Final[Results] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the step hears: a business reply or the platform's notice, and its outcome."""

    message: Message
    outcome: str
    generation: int


class Commands:
    """Answers batches of commands with a service's handlers. Keeps nothing between batches."""

    def __init__(
        self, handlers: EffectTable, *, codec: Codec, replies_topic: str, service: str
    ) -> None:
        self._service = service
        self._handlers = handlers
        self.codec = codec
        self._replies_topic = replies_topic

    def effect_of(self, kind: type[Message]) -> Effect[Any, Any] | None:
        """How commands of this type are carried out outside; None where they are not."""
        handler = self._handlers.get(kind)
        return handler if isinstance(handler, Effect) else None

    def command(self, record: Record) -> Command:
        """The record as the barrier sees it; raises MalformedEnvelope where a part is missing."""
        envelope = record.envelope
        if envelope.saga_id is None or envelope.step is None or envelope.generation is None:
            raise MalformedEnvelope(reason=f"{envelope.type} names no saga, step and generation")
        if envelope.direction not in ("action", "undo", "revoke"):
            raise MalformedEnvelope(reason=f"ce_sagadirection {envelope.direction!r}")
        if envelope.direction == "undo" and envelope.action not in ("done", "indoubt"):
            raise MalformedEnvelope(reason=f"ce_sagaaction {envelope.action!r} on an undo")
        return Command(
            envelope.saga_id,
            envelope.step,
            envelope.direction,
            envelope.generation,
            envelope.action if envelope.direction == "undo" else None,
        )

    def check(self, record: Record) -> None:
        """Raises UnexpectedMessage or MalformedEnvelope for what `handle` could not answer."""
        self.command(record)
        kind = type(record.message)
        if kind is not Revoke and kind not in self._handlers:
            raise UnexpectedMessage(type=kind.avro_name, topic=record.topic, service=self._service)

    async def handle(
        self,
        tx: Transaction,
        records: Sequence[Record],
        results: Results = NO_RESULTS,
        *,
        fenced: bool = False,
    ) -> int:
        """Every command is answered when `tx` commits; no two of a batch have one key.

        `results` are those of calls, for effects to settle; raises Overtaken where one is missing.
        `fenced`: `tx` holds the positions of these records, so hardly anybody else has the same
        commands in hand; if somebody has, and is quicker, `tx` fails at its end with an error that
        passes. Says how many were answered from the barrier, without running a handler.
        """
        commands = [self.command(record) for record in records]
        new = await _new(tx, commands) if fenced else set()
        keys = {key for command in commands for key in command.rows}
        rows = dict.fromkeys(new, NEW) | await barrier_rows.claim(tx, keys - new)
        verdicts = [judge(command, rows) for command in commands]
        executed = await self._execute(tx, records, verdicts, results)
        settled: dict[RowKey, BarrierRow] = {}
        missing: list[RowKey] = []
        for index, (command, verdict) in enumerate(zip(commands, verdicts, strict=True)):
            answer = self._answer(command, verdict, executed.get(index))
            reply = self.codec.encode(answer.message)  # for the log and for the row
            tx.publish(self._reply(records[index].envelope, command, answer, reply))
            outcome = barrier.OUTCOME_OF_ANSWER[answer.outcome]
            settled[command.own] = BarrierRow(answer.generation, outcome, answer.outcome, reply)
            if isinstance(verdict, barrier.NothingToUndo):
                settled |= self._blocked(command.rows[0], rows)
            if isinstance(verdict, barrier.ActionMissing):
                missing.append(command.rows[0])
        changed = {key: row for key, row in settled.items() if row != rows[key]}
        tx.prove({key: row for key, row in changed.items() if key in new})
        await barrier_rows.settle(tx, {key: changed[key] for key in changed.keys() - new})
        await barrier_rows.unclaim(tx, missing)
        return len(records) - len(executed)

    async def _execute(
        self,
        tx: Transaction,
        records: Sequence[Record],
        verdicts: Sequence[barrier.Verdict],
        results: Results,
    ) -> dict[int, Message]:
        """Run each type's handler once over what is to be executed: replies by index."""
        by_type: dict[type[Message], list[int]] = defaultdict(list)
        for index, verdict in enumerate(verdicts):
            if isinstance(verdict, barrier.Execute):
                by_type[type(records[index].message)].append(index)
        if isinstance(self._handlers, LockingTable) and len(by_type) > 1:
            asked = {kind: [records[n].message for n in ns] for kind, ns in by_type.items()}
            await self._handlers.lock(tx, asked)
        executed: dict[int, Message] = {}
        # In the table's order in every process, since one transaction locks for all of them.
        for message_type, handler in self._handlers.items():
            if indexes := by_type.pop(message_type, []):
                todo = [records[index] for index in indexes]
                if isinstance(handler, Effect):
                    replies = await self._settle(tx, handler, todo, results)
                else:
                    replies = await handler(tx, [record.message for record in todo])
                executed |= dict(zip(indexes, replies, strict=True))
        assert not by_type, f"no handler for {sorted(kind.avro_name for kind in by_type)}"
        return executed

    async def _settle(
        self,
        tx: Transaction,
        effect: Effect[Any, Any],
        records: Sequence[Record],
        results: Results,
    ) -> Sequence[Message]:
        """Write what the calls for these commands gave: a reply each, and no intent is open."""
        rows = [self.command(record).own for record in records]
        if missing := [row for row in rows if row not in results]:
            raise Overtaken(rows=missing)  # since the calls somebody has taken part of it back
        await intents.close(tx, rows)
        return await effect.settle(
            tx, [record.message for record in records], [results[row] for row in rows]
        )

    def _answer(self, command: Command, verdict: barrier.Verdict, reply: Message | None) -> Answer:
        match verdict:
            case barrier.Execute():
                assert reply is not None, command
                assert reply.outcome is not None, reply
                return Answer(reply, reply.outcome, command.generation)
            case barrier.Repeat(row=row, generation=generation):
                assert row.reply is not None, row
                assert row.answer is not None, row
                return Answer(self.codec.decode(row.reply), row.answer, generation)
            case barrier.Block():
                return Answer(REVOKED, "blocked", command.generation)
            case barrier.NothingToUndo():
                return Answer(NOTHING_TO_UNDO, "undo_noop", command.generation)
            case barrier.ActionMissing():
                return Answer(ACTION_MISSING, "undo_refused", command.generation)

    def _blocked(self, action: RowKey, rows: dict[RowKey, BarrierRow]) -> dict[RowKey, BarrierRow]:
        """The action's row, closed for ever; its generation stays, for the answers it may give."""
        reply = self.codec.encode(REVOKED)
        return {action: BarrierRow(rows[action].generation, "blocked", "blocked", reply)}

    def _reply(self, cause: Envelope, command: Command, answer: Answer, encoded: bytes) -> Outgoing:
        # A revoke is answered as its action would be: with the same id, so it counts once.
        direction = "action" if command.direction == "revoke" else command.direction
        answered = command_id(command.saga_id, command.step, direction, answer.generation)
        return Outgoing(
            answer.message,
            topic=self._replies_topic,
            key=cause.subject,
            id=reply_id(answered, answer.outcome),
            traceparent=cause.traceparent,
            saga_id=command.saga_id,
            step=command.step,
            direction=direction,
            generation=answer.generation,
            outcome=answer.outcome,
            causation_id=cause.id,
            encoded=encoded,
        )


async def _new(tx: Transaction, commands: Iterable[Command]) -> set[RowKey]:
    """The rows of actions of which nothing is known: they needn't be claimed, only inserted.

    An undo, and a revoke, claims what it closes, whatever is there: else the action that somebody
    has in hand would not be waited for.
    """
    actions = {command.own for command in commands if command.direction == "action"}
    closing = {key for command in commands if command.direction != "action" for key in command.rows}
    known = await barrier_rows.read(tx, actions - closing)
    return {key for key, row in known.items() if row.fresh}


def judge(command: Command, rows: dict[RowKey, BarrierRow]) -> barrier.Verdict:
    """The barrier's verdict, given the batch's rows."""
    undo = rows[command.own] if command.direction == "undo" else None
    return barrier.judge(command, rows[command.rows[0]], undo)


NEW = BarrierRow(0)
REVOKED = Notice(code="revoked", detail="It was revoked before it came, and never happens.")
NOTHING_TO_UNDO = Notice(code="nothing_to_undo", detail="The action had no effect, and never has.")
ACTION_MISSING = Notice(
    code="barrier_missing",
    detail="The saga saw this action done, but there is no trace of it here. Nothing was undone.",
)
