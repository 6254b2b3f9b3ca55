"""OHIF, a viewer for general reading, in its published build: put into the data folder on request."""

from radfuse.services.ohif.fetching import VERSION
from radfuse.services.ohif.installed import BASE, Installed, Shelf, installed
from radfuse.services.ohif.installing import install, remove

__all__ = ["BASE", "VERSION", "Installed", "Shelf", "install", "installed", "remove"]
