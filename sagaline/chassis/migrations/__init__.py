"""The chassis' own Alembic chain: schema `sagaline` of every service's database."""
