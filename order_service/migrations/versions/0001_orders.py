"""Create orders and their lines."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables; there is nothing before them."""
    op.create_table(
        "orders",
        sa.Column("order_id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('PENDING', 'CONFIRMED', 'REJECTED')", name="known_status"),
        sa.CheckConstraint("(status = 'PENDING') = (ended_at IS NULL)", name="ended_when_settled"),
        sa.CheckConstraint(
            "(status = 'CONFIRMED') = (total_minor IS NOT NULL)", name="priced_when_confirmed"
        ),
        sa.CheckConstraint("total_minor >= 0", name="total_not_negative"),
        # Updated once each: with room in its page that update writes no index entry.
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "order_line",
        sa.Column("order_id", sa.Uuid(), sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("sku", sa.String(64), primary_key=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="something_ordered"),
    )
