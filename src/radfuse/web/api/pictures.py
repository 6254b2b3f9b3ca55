"""Pictures of series by the service itself: what bookmarks and exports hold, and what viewers are judged by."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import ConfigurationError
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.api.region_shapes import Point, RegionShape
from radfuse.web.api.views import View
from radfuse.web.api.volumes import note_views
from radfuse.web.dicomweb.rendering import png

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services.viewing import Place

_PNG: Final = "image/png"
_Part = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
_Value = Annotated[float, Field(allow_inf_nan=False)]
_MOST_PIXELS: Final = 4096
_MOST_REGIONS: Final = 200
_Byte = Annotated[int, Field(ge=0, le=255)]
_Side = Annotated[int, Field(ge=1, le=_MOST_PIXELS)]
ColourName = Literal["gray", "inverted", "hot-iron", "fire", "spectrum", "red", "green", "blue"]


class PicturePlane(BaseModel):
    """A rectangle in the frame of reference of the base, and how thick a slab of it is looked at."""

    model_config = ConfigDict(extra="forbid")
    centre_mm: Point
    right: tuple[_Part, _Part, _Part]
    down: tuple[_Part, _Part, _Part]
    spacing_mm: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
    rows: _Side
    columns: _Side
    slab_mm: Annotated[float, Field(ge=0, le=500, allow_inf_nan=False)] = 0.0
    projection: Literal["thin", "mip", "minip", "mean"] = "thin"

    def place(self) -> Place:
        """For the services."""
        from radfuse.services.viewing import Place

        return Place(self.centre_mm, self.right, self.down, self.spacing_mm, self.rows, self.columns)


class PictureWindow(BaseModel):
    """Values between the first and the last colour."""

    model_config = ConfigDict(extra="forbid")
    low: _Value
    high: _Value


class PictureRegion(BaseModel):
    """A region in the frame of reference of the base, and its colour (red, green, blue)."""

    model_config = ConfigDict(extra="forbid")
    shape: RegionShape
    colour: tuple[_Byte, _Byte, _Byte] = (255, 215, 0)


class PictureAsk(BaseModel):
    """What is to be seen on it."""

    model_config = ConfigDict(extra="forbid")
    base: View
    overlay: View | None = None
    plane: PicturePlane
    base_window: PictureWindow
    overlay_window: PictureWindow | None = None
    base_colours: ColourName = "gray"
    overlay_colours: ColourName = "hot-iron"
    blend: Annotated[float, Field(ge=0, le=1)] = 0.5
    mode: Literal["blend", "checkerboard", "difference", "base", "overlay"] = "blend"
    regions: list[PictureRegion] = Field([], max_length=_MOST_REGIONS, description="Outlines on the plane.")
    annotate: bool = Field(
        False, description="With the patient's name, series, windows and the patient's sides written on it."
    )


def router(desk: ApiDesk) -> APIRouter:
    """Making pictures."""
    routes = APIRouter(
        tags=["volumes"],
        responses=refusals(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
        ),
    )
    routes.post(
        "/pictures",
        summary="A plane through one series, or two that belong together",
        response_class=Response,
        responses={200: {"content": {_PNG: {}}, "description": "The picture."}},
    )(_picture(desk))
    return routes


def _picture(desk: ApiDesk) -> Callable[..., Response]:
    def make_picture(
        ask: PictureAsk,
        request: Request,
        database: DatabaseName = DEFAULT_DATABASE,
    ) -> Response:
        """Linear interpolation between voxels; black outside of the images."""
        from radfuse.services.viewing import computed

        archive = desk.archive(database)
        note_views(request, archive, [view.asked() for view in (ask.base, ask.overlay) if view is not None])
        return Response(computed(lambda: picture_of(archive, ask)), media_type=_PNG)

    return make_picture


def picture_of(archive: Archive, ask: PictureAsk) -> bytes:
    """The picture as PNG. Raises as ``services.viewing.show``, and ConfigurationError."""
    from radfuse.services import viewing

    if ask.annotate:
        from radfuse.services.exporting import picture_asked

        return png(picture_asked(archive, ask.model_dump(mode="json")))
    base = viewing.show(archive, ask.base.asked()).volume
    below = base, _window("base_window", ask.base_window, ask.base_colours)
    above = None
    if ask.overlay is not None:
        over = viewing.show(archive, ask.overlay.asked(), ask.base.series).volume
        if ask.overlay_window is None:
            raise ConfigurationError("overlay_window", "the overlay needs a window of values")
        above = over, _window("overlay_window", ask.overlay_window, ask.overlay_colours)
    look = viewing.Look.named(ask.plane.slab_mm, ask.plane.projection, ask.mode, ask.blend)
    outlines = [viewing.Outlined(region.shape.mask(), region.colour) for region in ask.regions]
    return png(viewing.picture(ask.plane.place(), below, above, look, outlines))


def _window(setting: str, asked: PictureWindow, colours: str) -> Any:
    from radfuse.fusion import ColourMap, Window

    if asked.low >= asked.high:
        raise ConfigurationError(setting, "needs a lower and a higher value")
    return Window(asked.low, asked.high, ColourMap(colours))
