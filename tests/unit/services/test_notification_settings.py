"""What has to be said before customers are mailed."""

import pytest
from pydantic import SecretStr, ValidationError

from notification_service.settings import NotificationSettings

SMTP = {"mailer": "smtp", "sender": "orders@shop.test", "address": "{customer_id}@shop.test"}


def test_nobody_is_mailed_unless_that_is_said() -> None:
    assert NotificationSettings().mailer == "log"


@pytest.mark.parametrize(
    "address", ["{customer_id}@shop.test", "c-{customer_id}@a.b", "{customer_id}"]
)
def test_a_template_makes_addresses(address: str) -> None:
    NotificationSettings(**(SMTP | {"address": address}))  # type: ignore[arg-type]  # as from outside


@pytest.mark.parametrize(
    "field, value, variable",
    [
        ("sender", "", "SENDER"),
        ("sender", "orders", "SENDER"),
        ("address", "", "ADDRESS"),
        ("address", "everybody@shop.test", "ADDRESS"),
        ("address", "{customer_id} of us", "ADDRESS"),
        ("smtp_timeout_ms", 5_000, "SMTP_TIMEOUT_MS"),
    ],
)
def test_what_can_not_work_stops_the_start(field: str, value: object, variable: str) -> None:
    given = SMTP | {field: value}
    with pytest.raises(ValidationError, match=f"SAGALINE_NOTIFICATION_{variable}"):
        NotificationSettings(**given)  # type: ignore[arg-type]  # as from outside


def test_a_password_does_not_travel_in_the_clear() -> None:
    given = SMTP | {"smtp_password": SecretStr("secret"), "smtp_tls": "none"}
    with pytest.raises(ValidationError) as caught:
        NotificationSettings(**given)  # type: ignore[arg-type]  # as from outside
    assert "unencrypted" in str(caught.value)
    assert "'secret'" not in str(caught.value)
