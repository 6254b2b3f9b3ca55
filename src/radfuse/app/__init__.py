"""Composition root: settings in, running processes out."""

from radfuse.app.compose import open_archive, open_peers, wire_limits
from radfuse.app.logs import configure_logs
from radfuse.app.serve import run_node, serve
from radfuse.app.settings import Settings, load_settings

__all__ = [
    "Settings",
    "configure_logs",
    "load_settings",
    "open_archive",
    "open_peers",
    "run_node",
    "serve",
    "wire_limits",
]
