"""Create accounts, payments and the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables; there is nothing before them."""
    op.create_table(
        "account",
        sa.Column("customer_id", sa.String(), primary_key=True),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("authorized_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "authorized_minor >= 0 AND captured_minor >= 0", name="nothing_negative"
        ),
        sa.CheckConstraint("authorized_minor + captured_minor <= limit_minor", name="within_limit"),
        # Updated by each batch: with room in their pages no index entry is written.
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "payment",
        sa.Column("order_id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("account.customer_id"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("authorized_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        sa.CheckConstraint("state IN ('authorized', 'captured', 'voided')", name="known_state"),
        sa.CheckConstraint(
            "(state = 'authorized') = (ended_at IS NULL)", name="ended_when_settled"
        ),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "entry",
        sa.Column("order_id", sa.Uuid(), sa.ForeignKey("payment.order_id"), primary_key=True),
        sa.Column("source", sa.String(10), primary_key=True),
        sa.Column("target", sa.String(10), primary_key=True),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(source, target) IN (('free', 'authorized'), ('authorized', 'captured'),"
            " ('authorized', 'free'))",
            name="known_move",
        ),
        sa.CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )
