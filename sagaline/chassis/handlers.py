"""The kinds of handlers that a service gives to the chassis.

A *command* handler answers: it takes the payloads of one type, at most one for each key, and gives
a reply each, in order. Barrier, headers and batching are the chassis' work around it.
An *effect* (`sagaline.chassis.effects`) answers, too, and calls the outside for it.
A *record* handler folds: it takes a batch's records, each key's in offset order, and gives the
messages to send.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Effect
from sagaline.chassis.envelope import Outgoing, Record

# The payload's type is the key beside it in the table; a Callable can't say that of a mapping.
CommandHandler: TypeAlias = Callable[[Transaction, Any], Awaitable[Sequence[Message]]]
HandlerTable: TypeAlias = Mapping[type[Message], CommandHandler]
EffectTable: TypeAlias = Mapping[type[Message], CommandHandler | Effect[Any, Any]]
Asked: TypeAlias = Mapping[type[Message], Sequence[Any]]  # a batch's payloads by their type
Lock: TypeAlias = Callable[[Transaction, Asked], Awaitable[None]]
RecordHandler: TypeAlias = Callable[[Transaction, Sequence[Record]], Awaitable[Sequence[Outgoing]]]
Consumes: TypeAlias = Mapping[str, EffectTable | RecordHandler]  # by topic


class LockingTable(dict[type[Message], CommandHandler]):
    """A table of handlers that lock rows which orders share, such as shelves or accounts.

    Each handler locks in order what its commands need, and by that two batches of one type never
    deadlock. A batch of several types would lock one set after the other: before its first handler
    `lock` takes, in one statement, all that they are going to lock.
    """

    def __init__(self, handlers: HandlerTable, *, lock: Lock) -> None:
        super().__init__(handlers)
        self.lock = lock
