"""The data folder: where everything lies that is not code."""

import os
from pathlib import Path

FOLDERS = (
    "config", "run", "marks", "spool", "output", "work", "apps", "app_data", "backups", "exports", "logs",
)  # fmt: skip


class Home:
    """Paths below one data folder. All folders are the owner's alone (0700)."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    @classmethod
    def current(cls) -> "Home":
        """The data folder of this process, from the settings."""
        from django.conf import settings

        return cls(Path(settings.TASKHUB_HOME))

    def create(self) -> None:
        """Make what is missing.

        Raises:
            OSError: the folder cannot be made or entered.
        """
        for folder in (self.root, *(self.root / name for name in FOLDERS)):
            folder.mkdir(parents=True, exist_ok=True)
            if folder.stat().st_mode & 0o777 != 0o700:
                os.chmod(folder, 0o700)

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def secret_key(self) -> Path:
        return self.root / "secret.key"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def marks(self) -> Path:
        return self.root / "marks"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def work(self) -> Path:
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


current = Home.current
