"""Looks for what keeps a platform from running, or from running well, and says what to do."""
