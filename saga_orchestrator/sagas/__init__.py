"""The platform's saga definitions, one a module."""
