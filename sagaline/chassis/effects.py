"""Effects: handlers of commands that call something outside, between two transactions.

See docs/architecture.md, "Effects". The first transaction commits that the call is intended, the
calls run while no transaction is open, and the second one commits what came of them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction

C = TypeVar("C", bound=Message)
C_co = TypeVar("C_co", bound=Message, covariant=True)
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Something outside that effects call: what readiness names it, and the bounds of its use.

    A call ends within `timeout_ms` of its intent; `margin_ms` later none can arrive any more. At
    most `calls_max` run side by side. After `failures_max` failures in a row nobody calls for
    `pause_ms`, which doubles up to `pause_max_ms` with each probe that fails.
    """

    name: str
    timeout_ms: int
    margin_ms: int = 1_000
    calls_max: int = 32
    failures_max: int = 5
    pause_ms: int = 500
    pause_max_ms: int = 15_000


@dataclass(frozen=True, slots=True)
class Call(Generic[C_co]):
    """What is called for. The key is the same however often the call is made or asked about."""

    key: UUID
    message: C_co


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[C, R]):
    """How a command is carried out at `port`.

    `call` gives the result, a refusal too; it raises ProviderUnavailable (or what passes anyway)
    when there is none. `ask` gives the result of a call that was made, None where the other side
    knows of none; without it a call in doubt is made again. `settle` writes the results and gives a
    reply each, in order. `intend` writes what is to stand before the first call.
    """

    port: Port
    call: Callable[[Call[C]], Awaitable[R]]
    settle: Callable[[Transaction, Sequence[C], Sequence[R]], Awaitable[Sequence[Message]]]
    ask: Callable[[Call[C]], Awaitable[R | None]] | None = None
    intend: Callable[[Transaction, Sequence[C]], Awaitable[None]] | None = None
