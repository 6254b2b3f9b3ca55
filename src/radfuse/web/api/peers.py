"""The peers: other DICOM nodes, their rights here, and how we talk to them."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.aetitle import AETitle
from radfuse.services import peers
from radfuse.services.peer_test import PeerTest as TriedPeer
from radfuse.services.peer_test import try_peer, within_patience
from radfuse.services.peer_use import PeerUse, change_peer, remove_peer, uses_of_peers
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_Text = Annotated[str, Field(max_length=256)]
_Integer = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
Name = Annotated[str, Path(max_length=64, description="The peer's name here.")]


class Peer(BaseModel):
    """Another DICOM node: its rights here, and how we talk to it. What may be null is then as in the settings."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: _Text
    ae_title: _Text
    host: _Text
    port: _Integer
    may_store: bool = True
    may_query: bool = True
    may_retrieve: bool = True
    may_commit: bool = True
    send: bool = True
    query: bool = True
    retrieve: bool = True
    commit: bool = True
    tls: bool = False
    tls_name: _Text = ""
    calling_ae_title: _Text = ""
    artim_s: float | None = None
    connect_s: float | None = None
    response_s: float | None = None
    max_pdu_bytes: _Integer | None = None
    context_list: _Text = "dbx"
    preferred_syntaxes: Annotated[list[_Text], Field(max_length=100)] = []
    lossy_syntax: _Text = ""
    lenient_statuses: bool = False
    retries: _Integer | None = None
    retry_delay_s: float = 60.0
    concurrency: _Integer = 1

    def to_peer(self) -> peers.Peer:
        """The peer. Raises ConfigurationError with the field that cannot be."""
        given = self.model_dump()
        return peers.Peer(
            **given | {"ae_title": AETitle(self.ae_title), "preferred_syntaxes": tuple(self.preferred_syntaxes)},
            is_configured=True,
        )


class PeerInfo(Peer):
    """A peer, and who needs it."""

    rules: list[str] = Field(description="Rules that send to it.")
    jobs_unfinished: int
    jobs_failed: int

    @classmethod
    def of(cls, peer: peers.Peer, use: PeerUse) -> Self:
        """The peer for the API."""
        given = {field.name: getattr(peer, field.name) for field in fields(peer) if field.name != "is_configured"}
        given |= {"preferred_syntaxes": list(peer.preferred_syntaxes)}
        return cls(**given, rules=list(use.rules), jobs_unfinished=use.jobs_unfinished, jobs_failed=use.jobs_failed)


class TestStep(BaseModel):
    """One step of trying a connection."""

    name: Literal["network", "TLS", "association", "echo", "contexts"]
    is_ok: bool
    text: str


class PeerTest(BaseModel):
    """How far it went: the first step that failed is the last."""

    is_ok: bool
    steps: list[TestStep]
    cure: str = Field(description="What to do; empty when all went well.")
    round_trip_ms: float | None

    @classmethod
    def of(cls, tried: TriedPeer) -> Self:
        """The test for the API."""
        steps = [TestStep(name=step.name.value, is_ok=step.is_ok, text=f"{step.text}.") for step in tried.steps]
        took_s = tried.answer.round_trip_s if tried.answer is not None else None
        return cls(
            is_ok=tried.is_ok,
            steps=steps,
            cure=tried.cure,
            round_trip_ms=None if took_s is None else round(1000 * took_s, 1),
        )


def router(desk: ApiDesk) -> APIRouter:
    """Everything under /peers, but asking them for something."""
    routes = APIRouter(tags=["peers"])

    @routes.get("/peers", summary="All peers")
    def list_peers() -> list[PeerInfo]:
        """By name, with the rules and jobs that need each."""
        return _infos(desk)

    @routes.put("/peers/{name}", summary="Make or change a peer", responses=refusals(400, 409))
    def put_peer(request: Request, name: Name, wanted: Peer) -> PeerInfo:
        """Make it what is given. A peer whose name is another than the path's gets the new one, if nothing needs it."""
        note(request, "peer changed", subject=wanted.name)
        change_peer(desk.peers, desk.rules, desk.jobs, name, wanted.to_peer())
        return next(info for info in _infos(desk) if info.name == wanted.name)

    @routes.delete("/peers/{name}", status_code=204, summary="Remove a peer", responses=refusals(404, 409))
    def delete_peer(request: Request, name: Name) -> None:
        """Remove it, unless an enabled rule or a job that has not ended needs it (409)."""
        note(request, "peer removed", subject=name)
        remove_peer(desk.peers, desk.rules, desk.jobs, name)

    @routes.post("/peers/{name}/test", summary="Try the connection to a peer", responses=refusals(404))
    def try_saved(request: Request, name: Name) -> PeerTest:
        """Connect, associate, C-ECHO, and ask which presentation contexts it accepts. Takes at most some seconds."""
        note(request, "peer tested", subject=name)
        return _tried(desk, desk.peer(name))

    @routes.post("/peers/test", summary="Try the connection to a peer that is not saved", responses=refusals(400))
    def try_unsaved(request: Request, wanted: Peer) -> PeerTest:
        """The same, before it is made or changed."""
        note(request, "peer tested", subject=wanted.name)
        return _tried(desk, wanted.to_peer())

    return routes


def _infos(desk: ApiDesk) -> list[PeerInfo]:
    uses = uses_of_peers(desk.rules, desk.jobs)
    return [PeerInfo.of(peer, uses.get(peer.name, PeerUse())) for peer in desk.peers.all()]


def _tried(desk: ApiDesk, peer: peers.Peer) -> PeerTest:
    caller = desk.caller_of(peer, "")
    listed = desk.context_lists.get(peer.context_list)
    return PeerTest.of(try_peer(within_patience(peer, caller), caller, listed))
