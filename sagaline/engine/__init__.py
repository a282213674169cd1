"""The saga engine: a pure core (`definition`, `machine` and what they stand on) and its runtime.

The pure core decides and folds; it reads no clock, draws no random number, does no I/O.
"""
