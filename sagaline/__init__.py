"""Sagaline: sagas over Kafka that end in one of two ways: all happened, or all was undone."""

__version__ = "0.1.0"
