"""Holds accounts of points, and adds points to them."""
