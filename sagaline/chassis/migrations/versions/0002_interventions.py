"""Expand: parked records have an id and count their redrives; what operators do is kept.

The running release leaves the new columns to their defaults.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # Counted per partition from now on: the same, but for a key that came in several.
    """
    UPDATE sagaline.positions AS held SET parked_keys = counted.keys
    FROM (
        SELECT topic, partition, count(DISTINCT key) AS keys FROM sagaline.parked
        GROUP BY topic, partition
    ) AS counted
    WHERE held.topic = counted.topic AND held.partition = counted.partition
    """,
    """
    ALTER TABLE sagaline.parked
        ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY,
        ADD COLUMN redrives integer NOT NULL DEFAULT 0,
        ADD COLUMN redriven_at timestamptz
    """,
    "CREATE UNIQUE INDEX parked_id ON sagaline.parked (id)",
    # A key's records in order: which is next, and whether it is the last.
    'CREATE INDEX parked_queue ON sagaline.parked (topic, key, partition, "offset")',
    "DROP INDEX sagaline.parked_key",
    # Of what is no more in its own table, the coordinates: the record is in the log and among the
    # dead letters for as long as these are kept.
    """
    CREATE TABLE sagaline.interventions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        verb text NOT NULL CHECK (verb IN ('redrive', 'discard')),
        subject text NOT NULL CHECK (subject IN ('parked', 'outbox')),
        outcome text NOT NULL CHECK (outcome IN ('done', 'failed')),
        who text,
        reason text,
        subject_id bigint NOT NULL,
        topic text NOT NULL,
        partition integer,
        "offset" bigint,
        key text NOT NULL,
        type text,
        message_id text,
        error text
    )
    """,
)


def upgrade() -> None:
    """Add the columns, the index and the table."""
    for statement in STATEMENTS:
        op.execute(statement)
