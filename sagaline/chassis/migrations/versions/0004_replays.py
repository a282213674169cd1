"""Expand: live replays of the topics that the service writes."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # Offsets are by partition, from 0 on. An epoch fences: who lost it moves the row no more.
    """
    CREATE TABLE sagaline.replays (
        id uuid PRIMARY KEY,
        topic text NOT NULL,
        first_offsets bigint[] NOT NULL,
        next_offsets bigint[] NOT NULL,
        until_offsets bigint[] NOT NULL,
        keys text[] NOT NULL,
        types text[] NOT NULL,
        per_s integer NOT NULL CHECK (per_s > 0),
        who text,
        reason text NOT NULL,
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'stopped', 'done')),
        sent bigint NOT NULL DEFAULT 0,
        passed bigint NOT NULL DEFAULT 0,
        skipped bigint NOT NULL DEFAULT 0,
        problem text,
        runner text,
        epoch bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        touched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz
    )
    """,
    "CREATE INDEX replays_running ON sagaline.replays (created_at) WHERE state = 'running'",
)


def upgrade() -> None:
    """Create the table of replays."""
    for statement in STATEMENTS:
        op.execute(statement)
