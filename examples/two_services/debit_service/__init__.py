"""Holds accounts of points, and takes points from them."""
