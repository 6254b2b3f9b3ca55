"""What the routes of images and their objects need loaded: only when somebody looks at images, and by one thread."""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from typing import Final

_NEEDED: Final = (
    "pydicom",
    "radfuse.objects",
    "radfuse.services.one_object",
    "radfuse.services.registrations.reading",
    "radfuse.services.proposals",
    "radfuse.services.viewing",
    "radfuse.services.drawing",
    "radfuse.services.documents",
)
"""Packages whose modules import each other: threads that each begin with another one of them see some half made."""

_LOCK: Final = threading.Lock()
_LOADED: Final = threading.Event()


async def imaging_loaded() -> None:
    """A dependency of routes: what they import is there, whole."""
    if not _LOADED.is_set():
        await asyncio.to_thread(_load)


def _load() -> None:
    with _LOCK:
        if not _LOADED.is_set():
            for name in _NEEDED:
                import_module(name)
            _LOADED.set()
