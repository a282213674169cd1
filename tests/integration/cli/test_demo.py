"""`sagactl demo`, from its begin to its end."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.folder import a_folder

pytestmark = pytest.mark.timeout(600)
WITHIN_S = 250.0


def test_a_demo_finds_all_in_order_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    told = folder.run("demo", "--json", timeout_s=WITHIN_S)
    assert told.returncode == 0, told.stderr
    findings = json.loads(told.stdout)["findings"]
    assert findings
    assert all(each["ok"] for each in findings)
    assert list(tmp_path.glob("sagaline-platform-*")) == []
