"""A real mail server that has good and bad days."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Literal, TypeAlias

from aiosmtpd.smtp import SMTP, Envelope, Session

Mood: TypeAlias = Literal[
    "well",
    "closing",  # 421 to MAIL
    "distrustful",  # 550 to MAIL: it refuses the sender
    "busy",  # 450 to RCPT
    "strict",  # 550 to RCPT
    "full",  # 451 after DATA
    "offended",  # 554 after DATA
    "silent",  # takes the mail, and says nothing
    "dying",  # takes the mail, and is gone
]


class PostOffice:
    """Keeps what it takes; treats an address as `moods` says, and all others as `mood`."""

    def __init__(self) -> None:
        self.mood: Mood = "well"
        self.moods: dict[str, Mood] = {}
        self.mails: list[EmailMessage] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._let_go = asyncio.Event()
        self._sessions: set[SMTP] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["PostOffice"]:
        """It listens for the block, always on the same port."""
        await self.begin()
        try:
            yield self
        finally:
            await self.end()

    async def begin(self) -> None:
        """Listen: on a port of its own, and after an `end` on that one again."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """Nobody listens there."""
        assert self._server is not None
        self._let_go.set()
        self._server.close()
        for session in self._sessions:
            _cut(session)
        await self._server.wait_closed()

    def _session(self) -> SMTP:
        session = SMTP(self, hostname="post.test", loop=asyncio.get_running_loop())
        self._sessions.add(session)
        return session

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, _at: SMTP, _by: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.mood == "closing":
            return "421 closing down"
        if self.mood == "distrustful":
            return "550 who are you?"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _at: SMTP, _by: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        mood = self._mood_of(address)
        if mood == "busy":
            return "450 come back later"
        if mood == "strict":
            return "550 no such customer"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, _by: Session, envelope: Envelope
    ) -> str:
        mood = self._mood_of(envelope.rcpt_tos[0])
        if mood == "full":
            return "451 no room"
        if mood == "offended":
            return "554 not with me"
        assert isinstance(envelope.content, bytes)
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        if mood == "silent":
            await self._let_go.wait()
        if mood == "dying":
            _cut(server)
        return "250 OK"

    def _mood_of(self, address: str) -> Mood:
        return self.moods.get(address, self.mood)


def _cut(session: SMTP) -> None:
    """The connection is gone, without a word."""
    if isinstance(session.transport, asyncio.Transport):
        session.transport.abort()
