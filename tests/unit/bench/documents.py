"""Result documents for tests."""

from typing import Any


def document(name: str = "in-flight-64", **figures: float) -> dict[str, Any]:
    series = [
        {
            "at_s": float(n),
            "ended_per_s": 100.0 + n,
            "p50_ms": 10.0,
            "p99_ms": 20.0,
            "services": {
                "one": {"lag_records": 100 * n, "outbox_rows": 2, "outbox_oldest_s": 0.5},
                "two": {"lag_records": 0, "outbox_rows": 0, "outbox_oldest_s": 0.0},
            },
        }
        for n in range(1, 21)
    ]
    return {
        "name": name,
        "at": "2026-11-23T10:20:30+00:00",
        "revision": {"commit": "abcdef0123456789", "dirty": True},
        "figures": figures,
        "series": series,
        "problems": [],
    }
