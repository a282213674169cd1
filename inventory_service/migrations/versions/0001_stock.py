"""Create shelves, reservations and movements."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables; there is nothing before them."""
    op.create_table(
        "shelf",
        sa.Column("sku", sa.String(64), primary_key=True),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.CheckConstraint("reserved BETWEEN 0 AND on_hand", name="not_oversold"),
        sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),
        # Each batch updates the same few rows: with room in their pages no index entry is written.
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "reservation",
        sa.Column("order_id", sa.Uuid(), primary_key=True),
        sa.Column("sku", sa.String(64), sa.ForeignKey("shelf.sku"), primary_key=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity > 0", name="something_reserved"),
        sa.CheckConstraint("state IN ('reserved', 'committed', 'released')", name="known_state"),
        sa.CheckConstraint("(state = 'reserved') = (ended_at IS NULL)", name="ended_when_settled"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "movement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("sku", sa.String(64), sa.ForeignKey("shelf.sku"), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("units <> 0", name="something_moved"),
    )
