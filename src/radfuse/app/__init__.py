"""Composition root: settings in, running processes out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from radfuse.app.compose import (
    open_archive,
    open_context_lists,
    open_jobs,
    open_peers,
    our_caller,
    tls_identity,
    wire_limits,
)
from radfuse.app.settings import Settings, load_settings

if TYPE_CHECKING:
    from radfuse.app.supervising import run_node, serve
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

_PROCESSES: Final = {
    "is_worker_running": "worker",
    "run_node": "supervising",
    "run_web": "web",
    "run_worker": "worker",
    "serve": "supervising",
    "worker_here": "worker",
}
"""The doors and the worker, by the module that has them: a command that starts none need not load them."""


def __getattr__(name: str) -> Any:
    """A process of ``_PROCESSES``, loaded when it is first asked for."""
    if name not in _PROCESSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PROCESSES[name]}"), name)
