"""Alembic revisions of the payment service's database; the chassis runs them."""
