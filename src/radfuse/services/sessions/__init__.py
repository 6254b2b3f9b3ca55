"""Sessions: what a person has made in the workstation as standard objects, and back from the archive alone."""

from radfuse.services.sessions.listing import has_session, sessions_of_study
from radfuse.services.sessions.model import (
    KeptSession,
    NewSession,
    Restored,
    RestoredRegion,
    SavedSession,
    SessionRow,
)
from radfuse.services.sessions.restoring import restore_session
from radfuse.services.sessions.saving import save_session

__all__ = [
    "KeptSession",
    "NewSession",
    "Restored",
    "RestoredRegion",
    "SavedSession",
    "SessionRow",
    "has_session",
    "restore_session",
    "save_session",
    "sessions_of_study",
]
