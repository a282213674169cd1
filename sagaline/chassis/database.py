"""Transactions on a service's own database: asyncpg below, SQLAlchemy Core above, no ORM session.

A transaction gathers what is to be published and writes it to the outbox as its last statement:
outbox rows come last in the platform's one lock order, and nothing is published without its cause.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
from sqlalchemy import ARRAY, Executable, FromClause, bindparam, column, func
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeEngine

from sagaline.chassis.barrier import BarrierRow, RowKey
from sagaline.chassis.envelope import Encoded, Outgoing
from sagaline.chassis.sessions import Session, Sessions
from sagaline.chassis.tracing import UNTRACED

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

# What a batch or a request reads, it reads by key. But the planner doesn't know how many keys there
# are in an array, guesses a hundred, and then prefers to read a table as a whole until that has
# tens of thousands of rows; or it remembers a plan from when the table was empty. So these are for
# reports only: see `freeze`.
WHOLE_TABLES = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")

# Without them a plan is the same whatever is asked for, so a transaction's statements are planned
# once. By itself PostgreSQL plans for the very arrays given, each time, since it guesses ten keys
# in those of a general plan: a fifth of its work. A look, or a report, may ask for anything.
BEGIN = """
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL plan_cache_mode = force_generic_plan
"""

FREEZE = "; ".join(
    [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        *(f"SET LOCAL {setting} = on" for setting in WHOLE_TABLES),
        "SET LOCAL plan_cache_mode = auto",
    ]
)

Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]]
Columns: TypeAlias = Mapping[str, tuple[TypeEngine[Any] | type[TypeEngine[Any]], Sequence[object]]]


def unnest(columns: Columns, *, name: str = "given") -> FromClause:
    """Arrays as a table: {"sku": (Text, [..]), ..} has the columns `.c.sku`, .., a row an index.

    One statement, one prepared plan and one round trip, however many rows there are.
    """
    arrays = [bindparam(None, list(values), type_=ARRAY(kind)) for kind, values in columns.values()]
    sizes = {len(values) for _, values in columns.values()}
    assert len(sizes) == 1, f"arrays of unequal length: {sizes}"
    named = [column(label, kind) for label, (kind, _) in columns.items()]
    return func.unnest(*arrays).table_valued(*named, name=name).render_derived()


class Transaction:
    """An open READ COMMITTED transaction; it commits when its block ends without an error.

    `execute` takes Core, for handlers and repositories. `fetch` and `run` take PostgreSQL's own SQL
    with `$1`, `$2`, .. and are for what each batch runs, in the chassis, the engine and hot
    handlers: there a statement costs a fraction of what Core adds to it.
    """

    def __init__(
        self, connection: AsyncConnection, session: Session, spans: "Spans | None" = None
    ) -> None:
        self.connection = connection
        self._session = session
        self._spans = spans
        self.outgoing: list[Outgoing | Encoded] = []
        self.proofs: dict[RowKey, BarrierRow] = {}
        self.outbox_id_max: int | None = None  # of the rows that were written, once they are
        self._afterwards: list[Callable[[], None]] = []

    async def execute(
        self, statement: Executable, parameters: Parameters | None = None
    ) -> CursorResult[Any]:
        """Run one Core statement."""
        with self.asking(statement):
            return await self.connection.execute(statement, parameters)

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one SQL statement, and give its rows."""
        with self.asking(statement):
            rows: list[asyncpg.Record] = await self._session.fetch(statement, *arguments)
        return rows

    async def run(self, statement: str, *arguments: object) -> int:
        """Run one SQL statement, and say how many rows it has written."""
        with self.asking(statement):
            tag = await self._session.execute(statement, *arguments)
        return int(tag.rsplit(" ", 1)[-1])

    def asking(self, statement: object) -> AbstractContextManager[None]:
        """The database is asked this in the block: a span, where somebody collects them."""
        return UNTRACED if self._spans is None else self._spans.statement(str(statement))

    async def freeze(self) -> None:
        """Read one state of the database from here on, and write nothing; to be called first.

        For reports: whole tables may be read, and joined in any way, which other transactions are
        not planned for.
        """
        await self._session.execute(FREEZE)

    def publish(self, *messages: Outgoing | Encoded) -> None:
        """Send these, in this order, if and only if this transaction commits."""
        self.outgoing.extend(messages)

    def prove(self, rows: Mapping[RowKey, BarrierRow]) -> None:
        """Insert these rows of the barrier, which is the proof that what is published is due.

        The transaction fails, with an error that passes, where one of them stands by then.
        """
        self.proofs |= rows

    def afterwards(self, act: Callable[[], None]) -> None:
        """Do this if and when the transaction is committed; it may not fail."""
        self._afterwards.append(act)

    def committed(self) -> None:
        """What was to be done afterwards is done."""
        for act in self._afterwards:
            act()


Flush: TypeAlias = Callable[[Transaction], Awaitable[None]]


async def _publishes_nothing(tx: Transaction) -> None:
    assert not tx.outgoing, "this database was opened without an outbox"


class Database:
    """A service's connections. `flush` writes what a transaction publishes.

    `committed` is called after each commit that left outbox rows.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        flush: Flush = _publishes_nothing,
        committed: Callable[[], None] = lambda: None,
        spans: "Spans | None" = None,
    ) -> None:
        self._spans = spans
        self._sessions = Sessions(engine)
        self._flush = flush
        self._committed = committed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction for the block; an error in it rolls everything back and goes on up."""
        async with self._sessions.one() as (connection, session):
            tx = Transaction(connection, session, self._spans)
            try:
                await session.execute(BEGIN)
                yield tx
                if tx.outgoing:
                    await self._flush(tx)
                assert tx.outgoing or not tx.proofs, "proven, and nothing published"
                with tx.asking("COMMIT"):
                    await session.execute("COMMIT")
            except BaseException as error:
                lost = await _roll_back(session)
                if lost is not None and isinstance(error, Exception):
                    raise lost from error  # it may be all that was wrong: no record's fault
                raise
        if tx.outgoing:
            self._committed()
        tx.committed()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """For a look by one statement: it is its own transaction, and saves two round trips.

        Two statements in here see two states of the database; nothing can be published.
        """
        async with self._sessions.one() as (connection, session):
            tx = Transaction(connection, session, self._spans)
            yield tx
            assert not tx.outgoing, "published while reading"

    @property
    def sessions_in_use(self) -> int:
        """Sessions that transactions and looks have now."""
        return self._sessions.in_use

    async def close(self) -> None:
        """Close the sessions."""
        await self._sessions.close()


async def _roll_back(session: Session) -> Exception | None:
    """Nothing of the transaction is left. Where the session was lost: the error that says so.

    Such a session is closed, and replaced by whoever gets it next; the server ends what it left
    open.
    """
    try:
        await session.execute("ROLLBACK")
    except Exception as lost:  # noqa: BLE001 - whatever it is, the session can't be trusted
        session.terminate()
        return lost
    except BaseException:  # cancelled once more, and so would be whatever is awaited here
        session.terminate()
        raise
    return None


def open_engine(url: str, *, pool_size: int, command_timeout_s: float) -> AsyncEngine:
    """An engine on asyncpg for a `postgresql://` URL; connects on first use."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        isolation_level="AUTOCOMMIT",  # `Database.transaction` says BEGIN and COMMIT itself
        pool_reset_on_return=None,  # and leaves nothing open
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=command_timeout_s,
        connect_args={
            "command_timeout": command_timeout_s,
            "timeout": command_timeout_s,
            "server_settings": {
                "application_name": "sagaline",
                "jit": "off",
                **dict.fromkeys(WHOLE_TABLES, "off"),
            },
        },
    )
