"""SimpleITK, loaded only where something is computed."""

from __future__ import annotations

from typing import Any


def simpleitk() -> Any:
    """The module; its own types cover half of it, which is worse than none."""
    import SimpleITK

    return SimpleITK
