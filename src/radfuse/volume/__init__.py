"""Series as volumes whose geometry and units can be trusted."""

from radfuse.volume.model import Finding, FindingKind, Source, Unit, Volume

__all__ = ["Finding", "FindingKind", "Source", "Unit", "Volume"]
