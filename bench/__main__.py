"""`python -m bench [--orders N] [--in-flight N ...] [--record]`: the closed loop of orders."""

from bench.closed_loop import main

main()
