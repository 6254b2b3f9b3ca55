"""The one way in which a transcoding job says no."""

from __future__ import annotations


class Refused(Exception):
    """The job cannot be done; ``reason`` holds no patient data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
