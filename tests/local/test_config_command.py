"""`sagactl config show`, as a person and as a program call it."""

import json
import os
import subprocess
import sys

from tests.local.elsewhere import CHECKOUT

COMMAND = (sys.executable, "-m", "sagaline.cli", "config", "show")


def show(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"COLUMNS": "80"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_somebody_has_set_is_shown_with_its_origin_and_no_password() -> None:
    found = json.loads(show("order_service", "--json", SAGALINE_BATCH_ROWS_MAX="12").stdout)
    settings = {each["variable"]: each for each in found["order_service"]}
    assert settings["SAGALINE_BATCH_ROWS_MAX"]["value"] == "12"
    assert settings["SAGALINE_BATCH_ROWS_MAX"]["origin"] == "environment"
    assert settings["SAGALINE_TOPIC_PARTITIONS"]["origin"] == "sagactl"
    assert "order_service_app:***@" in settings["SAGALINE_ORDER_DATABASE_URL"]["value"]
    assert "SAGALINE_QUEUE_ROWS_MAX" not in settings


def test_defaults_are_shown_where_they_are_asked_for() -> None:
    found = json.loads(show("order_service", "--all", "--json").stdout)
    settings = {each["variable"]: each for each in found["order_service"]}
    assert settings["SAGALINE_QUEUE_ROWS_MAX"]["origin"] == "default"


def test_it_fits_80_columns() -> None:
    lines = show("order_service").stdout.splitlines()
    assert lines[0].split() == ["order_service", "from"]
    assert max(map(len, lines)) <= 80


def test_wrong_settings_are_told_as_at_a_start() -> None:
    done = show("order_service", SAGALINE_BATCH_ROWS_MAX="0")
    assert done.returncode == 1
    assert "SAGALINE_BATCH_ROWS_MAX (batch_rows_max)" in done.stderr
    assert "Example: SAGALINE_BATCH_ROWS_MAX=256" in done.stderr


def test_a_service_that_is_not_there_is_wrong_usage() -> None:
    assert show("lamp_service").returncode == 2
