"""What can go wrong when servers are installed and started on one machine.

PlatformError
├── PortTaken            somebody else listens where a server of ours should
├── ServerFailed         a server ended, or stayed silent, before it was ready
├── AlreadyRunning       the directory's server is running under another supervisor
├── WrongJarHash         a downloaded jar is not the one that was pinned
├── DownloadFailed       a jar could not be had
├── ProvisioningFailed   databases and roles could not be created
├── BadPlatformFile      sagaline.toml can't be read as one
├── NoSuchService        what was asked for is none of this platform's services
└── MissingPrerequisite  this machine can't run the platform
"""

from sagaline.chassis.errors import PlatformError


class PortTaken(PlatformError):
    """Port {port} on {host} is taken: free it, or move {server} to another with {setting}."""


class ServerFailed(PlatformError):
    """{server} {what}. The end of its log, {log}:
    {tail}
    """


class AlreadyRunning(PlatformError):
    """{server} in {directory} is running already, as process {pid}: stop it there first."""


class WrongJarHash(PlatformError):
    """{jar} is not the pinned one: its SHA-256 is {found}, it must be {expected}.

    The download is not used. Ask where it came from: a Maven mirror, or {repository}.
    """


class DownloadFailed(PlatformError):
    """{jar} could not be downloaded: {reason}.

    Check the network, the proxy (HTTPS_PROXY) and the mirror in ~/.m2/settings.xml.
    """


class ProvisioningFailed(PlatformError):
    """Databases and roles could not be created: {reason}"""


class BadPlatformFile(PlatformError):
    """{path} is not a platform file: {reason}."""


class NoSuchService(PlatformError):
    """This platform has no {service}: what was asked for is there on the order platform only."""


class MissingPrerequisite(PlatformError):
    """This machine can't run the platform: {reason}."""
