"""Alembic revisions of the gateway's database; the chassis runs them."""
