"""The lists of presentation contexts that a send may propose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import InUse, UnknownContextList
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.core.transfer_syntaxes import syntax_of
from radfuse.core.uid_names import storage_class_of, transfer_syntax_of
from radfuse.services import context_lists
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_Text = Annotated[str, Field(max_length=256)]
_Name = Annotated[str, Path(max_length=64, description="The list's name.")]


class NamedUID(BaseModel):
    """A UID and what it is called; the UID itself where we do not know."""

    uid: str
    name: str


class ContextList(BaseModel):
    """SOP classes, each proposed in these transfer syntaxes, the preferred ones first."""

    name: str
    sop_classes: list[NamedUID]
    transfer_syntaxes: list[NamedUID]
    storage_negotiation: bool
    is_built_in: bool
    is_edited: bool = Field(description="A built-in one that is not what it was.")
    used_by: list[str] = Field(description="Peers.")

    @classmethod
    def of(cls, known: context_lists.ContextList, used_by: Sequence[str]) -> Self:
        """The list for the API."""
        built_in = context_lists.BUILT_IN.get(known.name)
        return cls(
            name=known.name,
            sop_classes=[NamedUID(uid=uid, name=STORAGE_CLASS_NAMES.get(uid, uid)) for uid in known.sop_classes],
            transfer_syntaxes=[NamedUID(uid=uid, name=syntax_of(uid).name) for uid in known.transfer_syntaxes],
            storage_negotiation=known.storage_negotiation,
            is_built_in=built_in is not None,
            is_edited=built_in is not None and known != built_in,
            used_by=list(used_by),
        )


class _Named(BaseModel):
    uid: _Text
    name: _Text = ""


class NewContextList(BaseModel):
    """A list as it is to be. SOP classes and transfer syntaxes by UID or keyword, or as they are listed."""

    model_config = ConfigDict(extra="ignore")

    sop_classes: Annotated[list[_Text | _Named], Field(max_length=1000)]
    transfer_syntaxes: Annotated[list[_Text | _Named], Field(max_length=100)]
    storage_negotiation: bool = False

    def to_list(self, name: str) -> context_lists.ContextList:
        """The list. Raises ConfigurationError with the field that cannot be."""
        return context_lists.ContextList(
            name,
            tuple(storage_class_of(_uid(each), "sop_classes") for each in self.sop_classes),
            tuple(transfer_syntax_of(_uid(each), "transfer_syntaxes") for each in self.transfer_syntaxes),
            self.storage_negotiation,
        )


def _uid(given: str | _Named) -> str:
    return given if isinstance(given, str) else given.uid


def router(desk: ApiDesk) -> APIRouter:
    """Everything under /contexts."""
    routes = APIRouter(tags=["peers"])

    @routes.get("/contexts", summary="All context lists")
    def list_contexts() -> list[ContextList]:
        """The built-in ones, edited or not, and own ones."""
        return _shapes(desk)

    @routes.put("/contexts/{name}", summary="Make or change a context list", responses=refusals(400))
    def put_contexts(request: Request, name: _Name, wanted: NewContextList) -> ContextList:
        """Make it what is given. Sends that begin afterwards use it."""
        note(request, "context list changed", subject=name)
        desk.context_lists.put(wanted.to_list(name))
        return next(shape for shape in _shapes(desk) if shape.name == name)

    @routes.delete("/contexts/{name}", status_code=204, summary="Remove or restore one", responses=refusals(404, 409))
    def reset_contexts(request: Request, name: _Name) -> None:
        """Make a built-in list what it was; remove an own one that no peer uses (409)."""
        note(request, "context list removed", subject=name)
        found = next((shape for shape in _shapes(desk) if shape.name == name), None)
        if found is None:
            raise UnknownContextList(name)
        if found.used_by and not found.is_built_in:
            raise InUse(
                f"the list {name!r}", f"peers send with it: {', '.join(found.used_by)}; give them another first"
            )
        desk.context_lists.reset(name)

    return routes


def _shapes(desk: ApiDesk) -> list[ContextList]:
    users: dict[str, list[str]] = {}
    for peer in desk.peers.all():
        users.setdefault(peer.context_list, []).append(peer.name)
    return [ContextList.of(known, users.get(known.name, ())) for known in desk.context_lists.all()]
