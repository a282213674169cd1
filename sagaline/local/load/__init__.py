"""Load on a running platform, and what it came to: latency, throughput, cost, lag over time."""
