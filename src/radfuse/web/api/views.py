"""Series as they are looked at, in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import ConfigurationError
from radfuse.core.uids import checked_uid
from radfuse.web.identity import ALLOW_FAILED, ALLOW_OTHER_PATIENT, ALLOW_OTHER_SIDE, note

if TYPE_CHECKING:
    from radfuse.services.series_views import SeriesView
    from radfuse.volume import Repair, Unit

MOST_REGISTRATIONS: Final = 100
MOST_SERIES: Final = 32

Uid = Annotated[str, Field(max_length=64)]


class View(BaseModel):
    """A series as it is shown: which stack of it, in which unit, what was repaired, and what was agreed to."""

    model_config = ConfigDict(extra="forbid")
    series: Uid = Field(description="Series Instance UID")
    stack: int = Field(0, ge=0, le=100_000, description="From 1; 0: the largest that can be used.")
    unit: str = Field("", max_length=32, description="Empty: the usual one of the modality.")
    repairs: list[str] = Field([], max_length=16)
    only: list[Uid] = Field([], max_length=MOST_REGISTRATIONS, description="Registrations that may be used; none: all.")
    allow_failed: bool = False
    allow_other_patient: bool = False
    allow_other_side: bool = Field(False, description="Left over right too.")
    proposed: int = Field(0, ge=0, le=2**31 - 1, description="The job whose proposed registration is used; 0: none.")

    def asked(self) -> SeriesView:
        """For the services. Raises InvalidUID, and ConfigurationError for a unit or a repair that there is not."""
        # Loads numpy, which the other routes do without.
        from radfuse.services.series_views import SeriesView

        return SeriesView(
            checked_uid(self.series, "Series Instance UID"),
            unit_named(self.unit),
            self.stack or None,
            frozenset(map(repair_named, self.repairs)),
            frozenset(checked_uid(uid, "SOP Instance UID") for uid in self.only),
            self.allow_failed,
            self.allow_other_patient,
            self.proposed,
            self.allow_other_side,
        )


def unit_named(name: str) -> Unit | None:
    """The unit of this name; None for none. Raises ConfigurationError."""
    from radfuse.volume import Unit

    if not name:
        return None
    try:
        return Unit(name)
    except ValueError:
        raise ConfigurationError("unit", f"needs one of {', '.join(Unit)}") from None


def repair_named(name: str) -> Repair:
    """The repair of this name. Raises ConfigurationError."""
    from radfuse.volume import Repair

    try:
        return Repair(name)
    except ValueError:
        raise ConfigurationError("repair", f"needs one of {', '.join(Repair)}") from None


def note_view(request: Request, view: SeriesView, study: str) -> None:
    """Tell the access log that a series is looked at, and what was deliberately allowed for that."""
    note(request, "view", study=study)
    if view.allow_failed:
        note(request, ALLOW_FAILED, study=study, subject=view.series)
    if view.allow_other_patient:
        note(request, ALLOW_OTHER_PATIENT, study=study, subject=view.series)
    if view.allow_other_side:
        note(request, ALLOW_OTHER_SIDE, study=study, subject=view.series)
