"""Queries in Prometheus' language, as far as tests have to understand them."""

import re

NAMES = re.compile(r"(?<![\w\"])(?:sagaline|process|python)_\w+")
QUOTED = re.compile(r'"[^"]*"')


def metrics_of(query: str) -> set[str]:
    """The names of the metrics that the query asks for, suffixes of histograms included."""
    return set(NAMES.findall(QUOTED.sub('""', query)))
