"""The engine's tables, in the database of whichever service runs it.

Every primary key begins with the saga's key (an order's id), so that the tables can be distributed
by it. A service that runs the engine creates them in a migration of its own: see `revisions`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

METADATA = MetaData()

# One row a key: whoever holds its lock folds all sagas of the key.
CORRELATION = Table("correlation", METADATA, Column("key", Text, primary_key=True))

# `version` counts the events folded, and every update compares it. `sequence` is the number of the
# newest snapshot; the highest of a key's sagas is the key's. `state` is what the first
# `state_version` events left, NULL before any: what came after stands in the history.
SAGA = Table(
    "saga",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("saga_id", Uuid, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("stalled", Boolean, nullable=False),  # or parked: a step waits for a person
    Column("timer_at", DateTime(timezone=True)),
    Column("fences", JSON, nullable=False, server_default="{}"),
    Column("state", JSON),
    Column("state_version", BigInteger, nullable=False, server_default="0"),
    Column("traceparent", Text),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("saga_by_id", "saga_id", unique=True),
    # Answers leave a timer alone: one that fires early is set anew then.
    Index("saga_timer", "timer_at", postgresql_where=text("timer_at IS NOT NULL")),
    Index(
        "saga_for_a_person",
        "definition",
        "status",
        postgresql_where=text("stalled OR status = 'NEEDS_ATTENTION'"),
    ),
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
    Column("received", JSON, nullable=False),
    Column("events", JSON, nullable=False),
    Column("message_id", Uuid),
    Column("topic", Text),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("message", LargeBinary),
)
