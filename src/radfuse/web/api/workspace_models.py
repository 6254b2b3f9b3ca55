"""Drafts of the workstation, as the console and the API say them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from radfuse.web.api.drawing import Numbers
from radfuse.web.api.region_rules import Rule
from radfuse.web.api.region_shapes import Point, RegionShape
from radfuse.web.api.views import MOST_SERIES, Uid, View

_MOST = 10_000

_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Name = Annotated[str, Field(max_length=200)]
_Words = Annotated[str, Field(max_length=4000)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Channel = Annotated[int, Field(ge=0, le=255)]
_Colour = tuple[_Channel, _Channel, _Channel]
_Pane = Annotated[str, Field(max_length=32)]
_Turn = Annotated[list[_Number], Field(min_length=9, max_length=9)]

Mode = Literal["blend", "checkerboard", "spyglass", "difference", "base", "overlay"]
Projection = Literal["thin", "mip", "minip", "mean"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeriesDisplay(_Strict):
    """How a series looks."""

    low: _Number
    high: _Number
    colours: _Pane
    opacity: _Share
    is_inverted: bool


class KeptRegion(_Strict):
    """A region of a draft."""

    id: _Id
    name: _Name
    number: int = Field(ge=0, le=65_535)
    colour: _Colour
    series: Uid
    base: Uid | None = Field(None, description="Series in whose frame of reference the points of the rule lie.")
    rule: Rule
    shape: RegionShape
    numbers: list[Numbers] = Field(max_length=MOST_SERIES)
    is_visible: bool
    kind: Literal["lesion", "structure", "measurement"]
    made_by: _Name
    made_s: _Number


class KeptLine(_Strict):
    """A line of a draft."""

    id: _Id
    kind: Literal["length", "angle", "arrow"]
    points_mm: list[Point] = Field(max_length=_MOST)
    series: Uid
    text: _Words
    value: _Number | None
    unit: _Pane


class BookmarkView(_Strict):
    """What was on the screen."""

    base: View | None
    overlay: View | None
    prior: View | None
    layout: _Pane
    display: dict[Uid, SeriesDisplay] = Field(max_length=_MOST)
    mode: Mode
    blend: _Share
    slab_mm: float = Field(ge=0, le=10_000, allow_inf_nan=False)
    projection: Projection
    cursor_mm: Point | None
    active: Literal["axial", "coronal", "sagittal"] | None = Field(
        None, description="The plane that a picture of it shows; null: axial."
    )
    plane_turn: _Turn | None = Field(description="Oblique axes; null: those of the patient.")
    zoom: dict[_Pane, _Number] = Field(max_length=_MOST)
    pan: dict[_Pane, tuple[_Number, _Number]] = Field(max_length=_MOST)


class Bookmark(_Strict):
    """A named view."""

    id: _Id
    name: _Name
    note: _Words
    made_s: _Number
    view: BookmarkView
    picture: _Id | None


class Consent(_Strict):
    """A deliberate yes to what is refused otherwise."""

    what: _Name
    sentence: _Words
    by: _Name
    at_s: _Number


class WorkspaceState(BookmarkView):
    """All that a person has made of some series, and how it is looked at."""

    others: list[View] = Field(max_length=MOST_SERIES)
    images: list[Uid] = Field([], max_length=6, description="Series beside each other in the layout images.")
    regions: list[KeptRegion] = Field(max_length=_MOST)
    lines: list[KeptLine] = Field(max_length=_MOST)
    bookmarks: list[Bookmark] = Field(max_length=_MOST)
    consents: list[Consent] = Field(max_length=_MOST)
    session: Uid | None = Field(None, description="SOP Instance UID of the saved session that it was opened from.")


class WorkspaceRow(BaseModel):
    """A draft, for a list."""

    id: str
    revision: int
    study: str
    title: str
    made_by: str
    changed_by: str
    changed_s: float
    bytes: int


class Workspace(BaseModel):
    """A draft."""

    id: str
    revision: int
    study: str
    title: str
    made_by: str
    changed_by: str
    changed_s: float
    state: WorkspaceState
    findings: list[str] = []
    """Of one that was opened from a saved session: what is gone or was changed."""


class WorkspaceVersion(BaseModel):
    """A state of a draft that is kept."""

    number: int
    revision: int
    """That it is or was; of one that came too late, that which it was built on."""
    changed_by: str
    changed_s: float
    is_newest: bool
    bytes: int


class NewWorkspace(_Strict):
    """A new draft of a study, opened with these series: the base, the overlay, the others."""

    study: Uid = Field("", description="May be left out with a session.")
    series: list[Uid] | None = Field(None, max_length=MOST_SERIES)
    session: Uid | None = Field(None, alias="from", description="SOP Instance UID of a saved session.")
    title: _Name = ""


class WorkspaceChange(_Strict):
    """A state, and the revision that it was built on."""

    revision: int = Field(ge=1, le=2**53)
    state: WorkspaceState
    client: str = Field("", max_length=64, description="One for each page that writes: its own writing is no conflict.")
    title: _Name | None = None


class WorkspaceRevision(BaseModel):
    """The newest revision now."""

    revision: int
