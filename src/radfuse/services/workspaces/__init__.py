"""Drafts of the workstation: kept at the service while they are worked on, so that nothing drawn is ever lost."""

from radfuse.services.workspaces.keeping import Workspaces
from radfuse.services.workspaces.model import Change, Kept, Newest, Version, WorkspaceFacts

__all__ = ["Change", "Kept", "Newest", "Version", "WorkspaceFacts", "Workspaces"]
