"""What a mailer says of a notification: carried, refused for good, or to be tried again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr

from notification_service import domain
from notification_service.domain import Delivery
from notification_service.settings import NotificationSettings
from notification_service.smtp import SmtpMailer
from sagaline.chassis.errors import ProviderUnavailable
from tests.integration.services.post_office import Mood, PostOffice

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
KEY = UUID(int=77)
TOLD = domain.confirmation(UUID(int=1), "ann", total="12.50 EUR")


@pytest_asyncio.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with PostOffice().open() as office:
        yield office


def mailing(office: PostOffice, **changed: object) -> SmtpMailer:
    settings = {
        "mailer": "smtp",
        "sender": "orders@shop.test",
        "address": "{customer_id}@customers.test",
        "smtp_port": office.port,
        "smtp_tls": "none",
    }
    return SmtpMailer(NotificationSettings(**(settings | changed)), clock=lambda: NOON)  # type: ignore[arg-type]  # checked as they are read


async def test_a_notification_is_carried_as_often_as_it_is_asked_for(office: PostOffice) -> None:
    mailer = mailing(office)
    assert await mailer.send(TOLD, key=KEY) == Delivery()
    assert await mailer.send(TOLD, key=KEY) == Delivery()


async def test_a_mail_says_who_is_told_what(office: PostOffice) -> None:
    await mailing(office).send(TOLD, key=KEY)
    (mail,) = office.mails
    assert mail["To"] == "ann@customers.test"
    assert mail["From"] == "orders@shop.test"
    assert mail["Subject"] == "Your order is confirmed"
    assert mail["Message-ID"] == f"<{KEY}@shop.test>"
    assert mail["Date"].datetime == NOON
    assert mail.get_content().strip() == TOLD.body


async def test_a_mail_in_any_language_travels_as_ascii(office: PostOffice) -> None:
    told = domain.rejection(UUID(int=1), "ann", reason="Für „DESK“ fehlt 1 Stück.\n.\nEnde")
    await mailing(office).send(told, key=KEY)
    assert office.mails[0].get_content().split() == told.body.split()
    assert office.mails[0]["Content-Transfer-Encoding"] in ("quoted-printable", "base64")


@pytest.mark.parametrize(
    "mood, refusal", [("strict", "550 no such customer"), ("offended", "554 not with me")]
)
async def test_a_refusal_for_good(office: PostOffice, mood: Mood, refusal: str) -> None:
    office.mood = mood
    assert await mailing(office).send(TOLD, key=KEY) == Delivery(refusal)


@pytest.mark.parametrize("customer_id", ["an n", "ann@other", "", "a\r\nBcc: eve", "ä", "a" * 300])
async def test_a_customer_whose_id_makes_no_address_is_not_written_to(
    office: PostOffice, customer_id: str
) -> None:
    told = domain.confirmation(UUID(int=1), customer_id, total="1.00 EUR")
    assert (await mailing(office).send(told, key=KEY)).refusal is not None
    assert office.mails == []


async def test_ids_may_be_addresses(office: PostOffice) -> None:
    told = domain.confirmation(UUID(int=1), "ann@else.test", total="1.00 EUR")
    await mailing(office, address="{customer_id}").send(told, key=KEY)
    assert office.mails[0]["To"] == "ann@else.test"


@pytest.mark.parametrize("mood", ["closing", "distrustful", "busy", "full", "dying"])
async def test_a_bad_day_of_the_server_is_no_refusal(office: PostOffice, mood: Mood) -> None:
    office.mood = mood
    with pytest.raises(ProviderUnavailable, match="SMTP can't be used now"):
        await mailing(office).send(TOLD, key=KEY)


async def test_a_server_that_hangs(office: PostOffice) -> None:
    office.mood = "silent"
    with pytest.raises(ProviderUnavailable):
        await mailing(office, smtp_timeout_ms=300).send(TOLD, key=KEY)


async def test_a_server_that_is_down(office: PostOffice) -> None:
    await office.end()
    with pytest.raises(ProviderUnavailable):
        await mailing(office).send(TOLD, key=KEY)
    await office.begin()
    assert await mailing(office).send(TOLD, key=KEY) == Delivery()


async def test_a_server_without_the_encryption_that_is_wanted(office: PostOffice) -> None:
    with pytest.raises(ProviderUnavailable):
        await mailing(office, smtp_tls="starttls").send(TOLD, key=KEY)
    assert office.mails == []  # not in the clear, then


async def test_a_server_that_does_not_know_us(office: PostOffice) -> None:
    user = {"smtp_user": "shop", "smtp_password": SecretStr("secret"), "smtp_tls": "starttls"}
    with pytest.raises(ProviderUnavailable) as caught:
        await mailing(office, **user).send(TOLD, key=KEY)
    assert "secret" not in str(caught.value)
