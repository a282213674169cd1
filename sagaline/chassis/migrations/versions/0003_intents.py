"""Expand: intents, the calls to the outside that are not settled yet. Nothing else changes."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # A row lives for as long as its call: the table stays small, as the outbox does.
    """
    CREATE TABLE sagaline.intent (
        saga_id uuid,
        step text,
        direction text CHECK (direction IN ('action', 'undo')),
        generation integer NOT NULL,
        command bytea NOT NULL,
        opened_at timestamptz NOT NULL DEFAULT now(),
        deadline_at timestamptz NOT NULL,
        PRIMARY KEY (saga_id, step, direction)
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
