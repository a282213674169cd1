"""The engine's tables, in the database of whichever service runs it.

Every primary key begins with the saga's key (an order's id), so that the tables can be distributed
by it. A service that runs the engine creates them in a migration of its own: see `revisions`.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

# One row a key: whoever holds its lock folds all sagas of the key. `sequence` numbers snapshots.
CORRELATION = Table(
    "correlation",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

SAGA = Table(
    "saga",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("saga_id", Uuid, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False),  # events folded; every update compares it
    Column("state", JSONB, nullable=False),
    Column("traceparent", Text),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("saga_by_id", "saga_id", unique=True),
)

# One row for each accepted input, with the events it caused; `version` is the saga's after them.
HISTORY = Table(
    "history",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("saga_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("definition_version", Integer, nullable=False),
    Column("now", DateTime(timezone=True), nullable=False),
    Column("received", JSONB, nullable=False),
    Column("events", JSONB, nullable=False),
    Column("message_id", Uuid),
    Column("topic", Text),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("message", LargeBinary),
)

# At most one row a saga. Answers leave it alone: one that fires early is set anew then.
TIMER = Table(
    "timer",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("saga_id", Uuid, primary_key=True),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("fences", JSONB, nullable=False, server_default="{}"),
    Index("timer_due", "due_at"),
)
