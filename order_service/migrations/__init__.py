"""Alembic revisions of the order service's database; the chassis runs them."""
