"""The engine's tables, as steps that an orchestrator's own revisions call; one is never changed.

    from sagaline.engine.revisions import sagas_0001

    revision, down_revision = "0001", None


    def upgrade() -> None:
        sagas_0001()

A release that needs more brings another step, and says so in its changelog.
"""

from alembic import op

SAGAS_0001 = (
    """
    CREATE TABLE correlation (
        key text PRIMARY KEY,
        sequence bigint NOT NULL
    ) WITH (fillfactor = 70)
    """,
    # Rewritten at each step of a saga: with room in its page, no update writes an index entry.
    """
    CREATE TABLE saga (
        key text,
        saga_id uuid,
        definition text NOT NULL,
        definition_version integer NOT NULL,
        status text NOT NULL,
        version bigint NOT NULL,
        state jsonb NOT NULL,
        traceparent text,
        started_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (key, saga_id)
    ) WITH (fillfactor = 60)
    """,
    "CREATE UNIQUE INDEX saga_by_id ON saga (saga_id)",
    """
    CREATE TABLE history (
        key text,
        saga_id uuid,
        version bigint,
        definition_version integer NOT NULL,
        now timestamptz NOT NULL,
        received jsonb NOT NULL,
        events jsonb NOT NULL,
        message_id uuid,
        topic text,
        partition integer,
        "offset" bigint,
        message bytea,
        PRIMARY KEY (key, saga_id, version)
    )
    """,
    """
    CREATE TABLE timer (
        key text,
        saga_id uuid,
        due_at timestamptz NOT NULL,
        fences jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (key, saga_id)
    )
    """,
    "CREATE INDEX timer_due ON timer (due_at)",
)


def sagas_0001() -> None:
    """Create the tables of `sagaline.engine.tables`; there is nothing before them."""
    for statement in SAGAS_0001:
        op.execute(statement)
