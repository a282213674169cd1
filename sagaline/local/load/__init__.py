"""A load on a platform: orders in a closed or an open loop, what they took, and what it cost."""
