"""Tables of the chassis: outbox, lanes, positions, barrier, parked."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    # Rows leave after the broker's acks: the table stays small, and its tail is its only hot spot.
    """
    CREATE TABLE sagaline.outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        key text NOT NULL,
        type text NOT NULL,
        message_id uuid NOT NULL,
        headers jsonb NOT NULL,
        payload bytea,
        created_at timestamptz NOT NULL,
        quarantined_at timestamptz,
        error text
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
    "CREATE INDEX outbox_quarantined ON sagaline.outbox (key, id) WHERE quarantined_at IS NOT NULL",
    """
    CREATE TABLE sagaline.lanes (
        lane integer PRIMARY KEY,
        epoch bigint NOT NULL,
        owner text
    )
    """,
    """
    CREATE TABLE sagaline.positions (
        topic text,
        partition integer,
        next_offset bigint NOT NULL CHECK (next_offset >= 0),
        epoch bigint NOT NULL,
        parked_keys integer NOT NULL DEFAULT 0 CHECK (parked_keys >= 0),
        owner text,
        PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 50)
    """,
    # `answer` is the outcome on the wire; `outcome` is what the next message to this step meets.
    """
    CREATE TABLE sagaline.barrier (
        saga_id uuid,
        step text,
        direction text CHECK (direction IN ('action', 'undo')),
        generation integer NOT NULL,
        outcome text CHECK (outcome IN ('done', 'refused', 'blocked')),
        answer text,
        reply bytea,
        claimed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (saga_id, step, direction)
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE sagaline.parked (
        topic text,
        partition integer,
        "offset" bigint,
        key text NOT NULL,
        type text,
        header_names text[] NOT NULL,
        header_values bytea[] NOT NULL,
        value bytea,
        error_class text NOT NULL,
        error text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (topic, partition, "offset")
    )
    """,
    "CREATE INDEX parked_key ON sagaline.parked (topic, key)",
)


def upgrade() -> None:
    """Create the chassis' tables; the schema stands already, since its version table is in it."""
    for statement in STATEMENTS:
        op.execute(statement)
