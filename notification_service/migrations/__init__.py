"""Alembic revisions of the notification service's database; the chassis runs them."""
