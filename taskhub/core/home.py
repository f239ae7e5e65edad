"""The data folder: where each kind of file lies."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class Home:
    """A data folder; naming a place in it makes nothing."""

    root: Path

    @classmethod
    def current(cls) -> "Home":
        """The one of the settings."""
        return cls(Path(settings.TASKHUB_HOME))

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def secret_key(self) -> Path:
        return self.root / "secret.key"

    @property
    def run(self) -> Path:
        """Locks and sockets of what runs now."""
        return self.root / "run"

    @property
    def marks(self) -> Path:
        """One mark file for each runspace."""
        return self.root / "marks"

    @property
    def spool(self) -> Path:
        """Ends of jobs whose engine was gone when they came."""
        return self.root / "spool"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def work(self) -> Path:
        """Working directories of ad-hoc jobs."""
        return self.root / "work"

    @property
    def apps(self) -> Path:
        return self.root / "apps"

    @property
    def app_data(self) -> Path:
        return self.root / "app_data"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    def create(self) -> None:
        """Make the folder and those in it, open to their owner alone; what is there stays.

        Raises:
            OSError: a folder cannot be made.
        """
        self.root.parent.mkdir(parents=True, exist_ok=True)
        for folder in (
            self.root,
            self.config,
            self.run,
            self.marks,
            self.spool,
            self.output,
            self.work,
            self.apps,
            self.app_data,
            self.backups,
            self.exports,
            self.logs,
        ):
            folder.mkdir(mode=0o700, exist_ok=True)
        # The one that bars the way to all others; it may have been made by hand.
        if self.root.stat().st_mode & 0o077:
            self.root.chmod(0o700)


def current() -> Home:
    """The data folder of the settings."""
    return Home.current()
