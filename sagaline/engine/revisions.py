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
    CREATE TABLE correlation (key text PRIMARY KEY) WITH (fillfactor = 70)
    """,
    # Written at each step of a saga: with room in its page, no update writes an index entry, but
    # for those that set a timer.
    """
    CREATE TABLE saga (
        key text,
        saga_id uuid,
        definition text NOT NULL,
        definition_version integer NOT NULL,
        status text NOT NULL,
        version bigint NOT NULL,
        sequence bigint NOT NULL,
        stalled boolean NOT NULL,
        timer_at timestamptz,
        fences json NOT NULL DEFAULT '{}',
        state json,
        state_version bigint NOT NULL DEFAULT 0,
        traceparent text,
        started_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (key, saga_id)
    ) WITH (fillfactor = 60)
    """,
    "CREATE UNIQUE INDEX saga_by_id ON saga (saga_id)",
    "CREATE INDEX saga_timer ON saga (timer_at) WHERE timer_at IS NOT NULL",
    """
    CREATE TABLE history (
        key text,
        saga_id uuid,
        version bigint,
        definition_version integer NOT NULL,
        now timestamptz NOT NULL,
        received json NOT NULL,
        events json NOT NULL,
        message_id uuid,
        topic text,
        partition integer,
        "offset" bigint,
        message bytea,
        PRIMARY KEY (key, saga_id, version)
    )
    """,
)


# Of next to no rows, whose columns change seldom: it costs writers nothing.
SAGAS_0002 = """
    CREATE INDEX saga_for_a_person ON saga (definition, status)
    WHERE stalled OR status = 'NEEDS_ATTENTION'
"""


def sagas_0001() -> None:
    """Create the tables of `sagaline.engine.tables`; there is nothing before them."""
    for statement in SAGAS_0001:
        op.execute(statement)


def sagas_0002() -> None:
    """Expand: sagas that only a person gets going are counted by an index of their own."""
    op.execute(SAGAS_0002)
