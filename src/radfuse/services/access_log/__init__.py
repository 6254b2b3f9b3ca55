"""The access log: who did what, from where, when, to which study, and what became of it."""

from radfuse.services.access_log.log import AccessLog
from radfuse.services.access_log.model import AccessEntry, AccessQuery, Outcome

__all__ = ["AccessEntry", "AccessLog", "AccessQuery", "Outcome"]
