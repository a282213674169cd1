"""The order: kept when it is placed, then confirmed or rejected."""
