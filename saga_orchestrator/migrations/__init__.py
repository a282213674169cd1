"""Alembic revisions of the orchestrator's database."""
