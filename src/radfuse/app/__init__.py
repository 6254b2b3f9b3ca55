"""Composition root: settings in, running processes out."""

from radfuse.app.compose import (
    open_archive,
    open_context_lists,
    open_jobs,
    open_peers,
    our_caller,
    tls_identity,
    wire_limits,
)
from radfuse.app.serve import run_node, serve
from radfuse.app.settings import Settings, load_settings
from radfuse.app.web import run_web
from radfuse.app.worker import is_worker_running, run_worker, worker_here

__all__ = [
    "Settings",
    "is_worker_running",
    "load_settings",
    "open_archive",
    "open_context_lists",
    "open_jobs",
    "open_peers",
    "our_caller",
    "run_node",
    "run_web",
    "run_worker",
    "serve",
    "tls_identity",
    "wire_limits",
    "worker_here",
]
