"""Alembic revisions of the inventory service's database; the chassis runs them."""
