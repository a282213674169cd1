"""Notifications by mail: a `Mailer` on an SMTP server, which should be a relay of one's own.

Nobody can ask an SMTP server whether it took a message. A mail in doubt is sent again, under the
same Message-ID, by which a reader's program can tell that it is no second one.
"""

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from uuid import UUID

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from notification_service import domain
from notification_service.domain import Delivery, Notification
from notification_service.settings import NotificationSettings
from sagaline.chassis.errors import ProviderUnavailable

QUIT_S = 0.5  # for the goodbye; the mail is taken by then
REFUSAL_CHARACTERS_MAX = 500


class SmtpMailer:
    """A `Mailer` with a connection for each mail. `clock` dates the mails."""

    def __init__(self, settings: NotificationSettings, *, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock

    async def send(self, notification: Notification, *, key: UUID) -> Delivery:
        """The server has taken the mail, or refused it for good."""
        address = domain.address(self._settings.address, notification.customer_id)
        if address is None:
            return Delivery("no_address: the customer's id makes none")
        mail = self._written(notification, address, key)
        client = self._client()
        try:
            await client.connect()  # with EHLO, STARTTLS and AUTH
            await client.sendmail(self._settings.sender, [address], mail)
            await _say_goodbye(client)
        except SMTPRecipientsRefused as error:
            return _refused(error.recipients[0])
        except SMTPDataError as error:
            return _refused(error)
        except (SMTPException, OSError) as error:
            # Also a refusal of ourselves (AUTH, MAIL FROM): it would meet every customer's mail.
            raise ProviderUnavailable(provider="SMTP", reason=_reason(error)) from error
        finally:
            client.close()
        return Delivery()

    def _client(self) -> SMTP:
        settings = self._settings
        return SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password.get_secret_value() or None,
            local_hostname=socket.gethostname(),
            timeout=settings.smtp_timeout_ms / 1000,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            validate_certs=True,
        )

    def _written(self, notification: Notification, address: str, key: UUID) -> bytes:
        """The mail as it travels: ASCII, whatever its text is, since servers may know no more."""
        mail = EmailMessage(policy=SMTP_POLICY.clone(cte_type="7bit"))
        mail["From"] = self._settings.sender
        mail["To"] = address
        mail["Subject"] = notification.subject
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{key}@{self._settings.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # so that no absence notice is sent back
        mail.set_content(notification.body)
        return mail.as_bytes()


async def _say_goodbye(client: SMTP) -> None:
    """QUIT, politely; whatever becomes of it, the mail is taken, and must not be sent again."""
    try:
        async with asyncio.timeout(QUIT_S):
            await client.quit()
    except (SMTPException, OSError):
        return


def _refused(error: SMTPResponseException) -> Delivery:
    if error.code < 500:
        raise ProviderUnavailable(provider="SMTP", reason=_reason(error)) from error
    said = f"{error.code} {error.message}".encode(errors="backslashreplace").decode()
    return Delivery(said.replace("\0", "\\x00")[:REFUSAL_CHARACTERS_MAX])


def _reason(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{type(error).__name__}: {error.code}"  # its words may name the customer
    return f"{type(error).__name__}: {error}"
