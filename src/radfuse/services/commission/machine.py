"""What a result depends on beside the code: processor, system, versions of libraries."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from radfuse import __version__

_LIBRARIES: Final = ("numpy", "numba", "llvmlite", "SimpleITK", "pydicom", "highdicom")
_PROCESSORS: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a commission ran."""

    processor: str
    cores: int
    system: str
    software: tuple[tuple[str, str], ...]
    """Name and version, Radfuse first."""

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "Processor": self.processor,
            "Cores": self.cores,
            "System": self.system,
            "Software": dict(self.software),
        }

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """For people, as name and value."""
        versions = ", ".join(f"{name} {version}" for name, version in self.software)
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return (("Processor", f"{self.processor}, {cores}"), ("System", self.system), ("Software", versions))


def this_machine() -> Machine:
    """Where this program runs."""
    software = [("Radfuse", __version__), ("Python", platform.python_version())]
    software += [(name, metadata.version(name)) for name in _LIBRARIES]
    system = f"{platform.system()} {platform.machine()}"
    return Machine(_processor(), os.cpu_count() or 1, system, tuple(software))


def _processor() -> str:
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
