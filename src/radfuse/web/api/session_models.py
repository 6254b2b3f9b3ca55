"""Sessions in the words of the API, and what of a draft is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from radfuse.web.api.jobs import Job
from radfuse.web.api.sends import PeerName
from radfuse.web.api.workspace_models import BookmarkView, KeptLine, KeptRegion, SeriesDisplay, WorkspaceState

if TYPE_CHECKING:
    from radfuse.services import sessions as service
    from radfuse.services import workspace_objects as made

MOST_PEERS = 20


class SessionAsk(BaseModel):
    """What a session is called, and where it is sent as well."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"\S")]
    note: Annotated[str, Field(max_length=800)] = ""
    peers: list[PeerName] = Field([], max_length=MOST_PEERS, description="Peers that it is sent to.")
    revision: int | None = Field(None, ge=1, le=2**53, description="The one meant: another one is refused.")


class SavedObject(BaseModel):
    """An object that was made for a session."""

    label: str
    SOPClassUID: str
    SOPInstanceUID: str


class SavedSession(BaseModel):
    """What became of it."""

    SOPInstanceUID: str
    """Of the Key Object Selection: open the session by it."""
    version: int
    objects: list[SavedObject]
    notes: list[str]
    """What could not become an object, and why: Radfuse restores it all the same."""
    jobs: list[Job]
    """That send it."""


class KeptSession(BaseModel):
    """A session, for a list."""

    SOPInstanceUID: str
    StudyInstanceUID: str
    name: str
    note: str
    made: str
    """Date and time as digits."""
    by: str
    version: int
    predecessor: str
    """SOP Instance UID of the version before."""
    is_ours: bool
    """Whether it restores the view; selections of other systems open their series."""
    objects: int
    is_complete: bool
    missing: int

    @classmethod
    def of(cls, row: service.SessionRow) -> Self:
        """For the API."""
        found = row.session
        return cls(
            SOPInstanceUID=found.sop_instance_uid,
            StudyInstanceUID=found.study,
            name=found.name,
            note=found.note,
            made=found.made,
            by=found.by,
            version=found.version,
            predecessor=found.predecessor,
            is_ours=found.is_ours,
            objects=len(found.parts or found.references),
            is_complete=row.missing == 0,
            missing=row.missing,
        )


def session_of(ask: SessionAsk, draft: tuple[str, str, WorkspaceState], by: str) -> service.NewSession:
    """What the services save. ``draft``: its study, its id, its state. Raises InvalidRegion, InvalidUID."""
    from radfuse.services import sessions as service
    from radfuse.services import workspace_objects as made

    study, workspace, state = draft
    more = [state.prior, *state.others]
    return service.NewSession(
        study=study,
        name=ask.name.strip(),
        note=ask.note.strip(),
        by=by,
        workspace=workspace,
        document=state.model_dump(mode="json", by_alias=True, exclude={"regions": {"__all__": {"shape"}}}),
        scene=_scene(state),
        others=tuple(view.asked() for view in more if view is not None),
        regions=tuple(map(_region, state.regions)),
        lines=tuple(map(_line, state.lines)),
        bookmarks=tuple(
            made.SavedBookmark(each.id, each.name, each.note, _scene(each.view)) for each in state.bookmarks
        ),
        opened_from=state.session or "",
    )


def _scene(view: BookmarkView) -> made.Scene:
    from radfuse.services.workspace_objects import Scene

    return Scene(
        base=view.base.asked() if view.base else None,
        overlay=view.overlay.asked() if view.overlay else None,
        looks={series: _look(display) for series, display in view.display.items()},
        mode=view.mode,
        blend=view.blend,
        slab_mm=view.slab_mm,
        projection=view.projection,
        cursor_mm=view.cursor_mm,
        turn=tuple(view.plane_turn) if view.plane_turn else None,
        active=view.active or "axial",
    )


def _look(display: SeriesDisplay) -> made.Look:
    from radfuse.fusion import ColourMap
    from radfuse.services.workspace_objects import Look

    colours = display.colours if display.colours in set(ColourMap) else ColourMap.GRAY.value
    return Look(display.low, display.high, colours, display.is_inverted)


def _region(region: KeptRegion) -> made.SavedRegion:
    from radfuse.services.drawing import Numbers
    from radfuse.services.workspace_objects import SavedRegion

    return SavedRegion(
        id=region.id,
        name=region.name,
        number=region.number,
        colour=region.colour,
        series=region.series,
        mask=region.shape.mask(),
        kind=region.kind,
        rule=region.rule.model_dump(mode="json", by_alias=True),
        numbers=tuple(
            Numbers(series_uid=each.SeriesInstanceUID, **_values(each.model_dump(exclude={"SeriesInstanceUID"})))
            for each in region.numbers
        ),
    )


def _values(found: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def _line(line: KeptLine) -> made.SavedLine:
    from radfuse.services.workspace_objects import SavedLine

    return SavedLine(line.id, line.kind, tuple(line.points_mm), line.series, line.text, line.value, line.unit)


def state_of(restored: service.Restored, empty: WorkspaceState) -> WorkspaceState | None:
    """A state to go on with; None where the document is none. ``empty``: how one begins with these series."""
    if not restored.session.is_ours:
        return _of_others(restored, empty)
    try:
        return WorkspaceState.model_validate(_document(restored))
    except (ValidationError, KeyError, TypeError, AttributeError):
        return None


def _document(restored: service.Restored) -> dict[str, object]:
    from radfuse.web.api.drawing import Numbers
    from radfuse.web.api.region_shapes import RegionShape

    document = dict(restored.session.document)
    regions = []
    for region in document["regions"]:
        found = restored.regions.get(region["id"])
        if found is None:
            continue
        new = {**region, "shape": RegionShape.of(found.drawn).model_dump(mode="json")}
        if found.numbers is not None:
            new["numbers"] = [Numbers.of(each).model_dump(mode="json") for each in found.numbers]
        regions.append(new)
    document["regions"] = regions
    for slot in ("base", "overlay", "prior"):
        if document[slot] and document[slot]["series"] in restored.gone:
            document[slot] = None
    document["others"] = [view for view in document["others"] if view["series"] not in restored.gone]
    document["session"] = restored.session.sop_instance_uid
    return document


def _of_others(restored: service.Restored, empty: WorkspaceState) -> WorkspaceState:
    """The regions of a selection that another system made, as they would have been drawn here."""
    import time

    from radfuse.web.api.drawing import Numbers
    from radfuse.web.api.region_shapes import RegionShape

    regions = [
        {
            "id": f"s{number}",
            "name": each.name[:200],
            "number": number,
            "colour": each.colour,
            "series": each.series,
            "rule": {"kind": "object", "SOPInstanceUID": each.source, "number": each.number},
            "shape": RegionShape.of(each.restored.drawn).model_dump(mode="json"),
            "numbers": [Numbers.of(one).model_dump(mode="json") for one in each.restored.numbers or ()],
            "is_visible": True,
            "kind": "structure",
            "made_by": restored.session.by[:200],
            "made_s": time.time(),
        }
        for number, each in enumerate(restored.found, 1)
    ]
    changed = empty.model_dump(mode="json", by_alias=True) | {"regions": regions}
    return WorkspaceState.model_validate(changed | {"session": restored.session.sop_instance_uid})
