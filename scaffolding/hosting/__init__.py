"""Hosted apps on disk: what there is, where it lies, and whether it changed."""

from .files import folder, resolve, stamp
from .registry import HostedApp, add_check, apps, enabled_names, find, get

__all__ = ["HostedApp", "add_check", "apps", "enabled_names", "find", "folder", "get", "resolve", "stamp"]
