"""What can be exported, in the words of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.web.api.pictures import ColourName, PictureAsk, PictureWindow
from radfuse.web.api.sends import PeerName, Priority
from radfuse.web.api.views import Uid, View

_MOST_ITEMS: Final = 100
_MOST_IDS: Final = 10_000
_MOST_PICTURES: Final = 2000
_MOST_PEERS: Final = 20

_Mm = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]
_Milliseconds = Annotated[float, Field(ge=1, le=60_000, description="How long each frame is shown.")]
_Ids = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]],
    Field(max_length=_MOST_IDS, description="Of regions and lines of the draft; none: all there are."),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def views(self) -> Iterator[View]:
        """The series that are shown for it."""
        return iter(())


def _shown(picture: PictureAsk) -> Iterator[View]:
    yield picture.base
    if picture.overlay is not None:
        yield picture.overlay


class ImagesItem(_Strict):
    """The stored images of a series, as they are."""

    kind: Literal["images"]
    series: Uid

    def checked_series(self) -> str:
        """Raises InvalidUID."""
        return checked_uid(self.series, "Series Instance UID")


class SnapshotItem(_Strict):
    """A Secondary Capture. With `annotate`, here or in the picture, the patient's name is burned into it."""

    kind: Literal["snapshot"]
    picture: PictureAsk
    annotate: bool = False

    def views(self) -> Iterator[View]:
        """The series that are shown for it."""
        return _shown(self.picture)


class PlaneRange(_Strict):
    """Planes from one position to another, both included, in mm along an axis of the patient.

    `normal`: along the normal of the picture, counted from its own place.
    """

    axis: Literal["axial", "coronal", "sagittal", "normal"]
    from_mm: _Mm
    to_mm: _Mm
    step_mm: Annotated[float, Field(ge=0.01, le=1000, allow_inf_nan=False)]


class CineItem(_Strict):
    """A multi-frame true colour capture: the pictures, or with `range` one picture moved through the volume."""

    kind: Literal["cine"]
    pictures: list[PictureAsk] = Field(min_length=1, max_length=_MOST_PICTURES)
    range: PlaneRange | None = None
    frame_time_ms: _Milliseconds = 100.0

    def views(self) -> Iterator[View]:
        """The series that are shown for it."""
        for picture in self.pictures:
            yield from _shown(picture)


class RotatingItem(_Strict):
    """Maximum intensity projections from all sides: gray words, or true colour with an overlay or a colour map."""

    kind: Literal["rotating"]
    view: View
    window: PictureWindow
    colours: ColourName = "gray"
    overlay: View | None = None
    overlay_window: PictureWindow = PictureWindow(low=0, high=1)
    overlay_colours: ColourName = "hot-iron"
    blend: Annotated[float, Field(ge=0, le=1)] = 0.5
    frames: int = Field(36, ge=2, le=720)
    frame_time_ms: _Milliseconds = 100.0

    def views(self) -> Iterator[View]:
        """The series that are shown for it."""
        yield self.view
        if self.overlay is not None:
            yield self.overlay


class VolumeItem(_Strict):
    """A series as new CT, MR, PET or NM images in the frame of reference of the series `onto`, or of itself."""

    kind: Literal["volume"]
    view: View
    onto: Uid = Field("", description="Series Instance UID of the base; empty: itself.")
    grid: Literal["base", "own"] = "base"

    def views(self) -> Iterator[View]:
        """The series that are shown for it."""
        yield self.view
        if self.onto:
            yield View.model_validate({"series": self.onto})


class RegistrationItem(_Strict):
    """A stored registration, or another stored object."""

    kind: Literal["registration"]
    SOPInstanceUID: Uid


class RegionsItem(_Strict):
    """Regions as Segmentations or RT Structure Sets, one for each series they were drawn on."""

    kind: Literal["regions"]
    ids: _Ids = []
    form: Literal["SEG", "RTSTRUCT"] = Field("SEG", alias="as")


class NumbersItem(_Strict):
    """Numbers of regions and lines as Comprehensive SR, with the Segmentations that it speaks of."""

    kind: Literal["numbers"]
    ids: _Ids = []


class ReportPicture(_Strict):
    """A picture of a report."""

    picture: PictureAsk
    caption: str = Field("", max_length=200)


class ReportItem(_Strict):
    """An Encapsulated PDF: text, numbers, pictures, and why the series are aligned."""

    kind: Literal["report"]
    title: str = Field("Report", min_length=1, max_length=64, pattern=r"\S")
    text: str = Field("", max_length=20_000)
    ids: _Ids = Field([], description="Of regions and lines of the draft; none: no numbers.")
    pictures: list[ReportPicture] = Field([], max_length=50)

    def views(self) -> Iterator[View]:
        """The series that are shown for it."""
        for each in self.pictures:
            yield from _shown(each.picture)


class BookmarkItem(_Strict):
    """A bookmark as a Secondary Capture, and as a presentation state where there can be one."""

    kind: Literal["bookmark"]
    id: str = Field(min_length=1, max_length=64)
    annotate: bool = False


ExportItem = Annotated[
    ImagesItem
    | SnapshotItem
    | CineItem
    | RotatingItem
    | VolumeItem
    | RegistrationItem
    | RegionsItem
    | NumbersItem
    | ReportItem
    | BookmarkItem,
    Field(discriminator="kind"),
]


class ExportAsk(BaseModel):
    """What is exported; `workspace` is the draft whose regions, lines and bookmarks are meant."""

    model_config = ConfigDict(extra="forbid")
    items: list[ExportItem] = Field(min_length=1, max_length=_MOST_ITEMS)
    workspace: str | None = Field(None, max_length=64)
    database: str = Field(DEFAULT_DATABASE, max_length=64)


class ExportTo(_Strict):
    """Where to. What goes to peers is kept in the archive first; a download is kept nowhere else."""

    archive: bool = False
    peers: list[PeerName] = Field([], max_length=_MOST_PEERS)
    download: bool = False


class NewExport(ExportAsk):
    """What is exported, and where to."""

    to: ExportTo
    priority: Priority = 5


class ExportObject(BaseModel):
    """Objects of one class that an item becomes."""

    item: int
    """Which of the items, from 0."""
    label: str
    object: str
    """The name of the SOP class; "" with a refusal."""
    count: int
    bytes: int
    """About; of stored objects exactly."""
    refusal: str
    """Why it cannot be made; "" where there is no reason."""


class ExportPlan(BaseModel):
    """What an export will be."""

    objects: list[ExportObject]
