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

    def copy_for(self, folder: Path, *, version: str) -> Path:
        """Give `folder` if the user can reach it, else a whole copy of it outside, made once."""
        if self.can_reach(folder):
            return folder
        copy = _outside() / f"{folder.name}-{version}"
        if not copy.exists():
            half_made = Path(tempfile.mkdtemp(dir=_outside()))
            shutil.copytree(folder, half_made / "copy", symlinks=True)
            try:
                (half_made / "copy").rename(copy)
            except OSError:  # somebody else made it meanwhile
                assert copy.exists(), copy
            shutil.rmtree(half_made)
        return copy

    def _may_enter(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        return bool(folder.st_mode & stat.S_IXOTH)


def _outside() -> Path:
    OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
    return OUTSIDE
