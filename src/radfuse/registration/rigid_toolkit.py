"""SimpleITK, loaded only where something is computed."""

from __future__ import annotations

from typing import Any


def simpleitk() -> Any:
    """The module; half of it has no types."""
    import SimpleITK

    return SimpleITK
