"""The user that PostgreSQL runs as where we are root, and what that user can reach.

PostgreSQL refuses to run as root. A checkout below /root can't be entered by anybody else, and we
don't open other people's folders: what PostgreSQL needs is then kept below /var/lib/sagaline.
"""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

NAME = "nobody"
OUTSIDE = Path("/var/lib/sagaline")


@dataclass(frozen=True, slots=True)
class Unprivileged:
    """A user that is not root."""

    uid: int
    gid: int

    @classmethod
    def needed(cls) -> Self | None:
        """Give the user to run as, or None where we are an ordinary user ourselves."""
        if os.geteuid() != 0:
            return None
        entry = pwd.getpwnam(NAME)
        return cls(entry.pw_uid, entry.pw_gid)

    def give(self, path: Path) -> None:
        """Make `path` the user's own."""
        os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Say whether the user may enter every existing folder on the way to `path`, and itself."""
        folders = [folder for folder in (path, *path.parents) if folder.is_dir()]
        return all(self._may_enter(folder.stat()) for folder in folders)

    def directory_for(self, wanted: Path) -> Path:
        """Give `wanted`, made, if the user can reach it, else its own place outside."""
        wanted.mkdir(parents=True, exist_ok=True)
        wanted.chmod(0o711)
        if self.can_reach(wanted):
            return wanted
        digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
        return _outside() / f"{wanted.name}-{digest}"

    def copy_for(self, root: Path, folders: Iterable[str], *, name: str) -> Path:
        """Give `root` if the user can reach it, else a copy of these `folders` of it, made once."""
        if self.can_reach(root):
            return root
        copy = _outside() / name
        if not copy.exists():
            half_made = Path(tempfile.mkdtemp(dir=_outside()))
            half_made.chmod(0o755)
            for folder in folders:
                shutil.copytree(root / folder, half_made / folder, symlinks=True)
                (half_made / folder).parent.chmod(0o755)  # whatever our umask is
            try:
                half_made.rename(copy)
            except OSError:  # somebody else made it meanwhile
                assert copy.exists(), copy
                shutil.rmtree(half_made)
        return copy

    def _may_enter(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        return bool(folder.st_mode & stat.S_IXOTH)


def _outside() -> Path:
    OUTSIDE.mkdir(parents=True, exist_ok=True)
    OUTSIDE.chmod(0o755)
    return OUTSIDE
