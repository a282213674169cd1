"""Results on disk, and their pictures."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import chart, record
from tests.unit.bench.documents import document


def test_what_was_written_is_read_by_its_path_and_by_its_revision(tmp_path: Path) -> None:
    path = record.write(document(orders_per_s=1.5), folder=tmp_path)
    assert path.name == "in-flight-64_20261123T102030_abcdef0123-dirty.json"
    assert record.read(str(path)) == record.read("abcdef", folder=tmp_path)
    assert record.read(str(path))[0] == json.loads(json.dumps(document(orders_per_s=1.5)))
    assert path.with_suffix(".svg").exists()


def test_a_revision_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="fffff"):
        record.read("fffff", folder=tmp_path)


def test_a_picture_has_a_line_for_each_series() -> None:
    root = ET.fromstring(chart.svg(document()))  # noqa: S314 - our own
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 5
    assert all(len(line.attrib["points"].split()) == 20 for line in lines)
