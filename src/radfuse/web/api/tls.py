"""DICOM over TLS: what is offered, and certificates by an authority of this node's own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.services.certificates import CertificateFacts
from radfuse.services.node_facts import CertificateOrder, TlsOffer
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_Host = Annotated[str, Field(min_length=1, max_length=253)]


class Certificate(BaseModel):
    """What a certificate says."""

    subject: str
    issuer: str
    names: list[str]
    key: str
    not_before_s: float
    not_after_s: float
    days_left: int
    sha256: str


class TlsStatus(BaseModel):
    """DICOM over TLS as this node offers it."""

    is_offered: bool
    port: int
    versions: list[str]
    cipher_suites: list[str]
    client_certificates: str
    certificate: Certificate | None
    authorities: str
    warning: str


class NewCertificate(BaseModel):
    """The node's own certificate, as it is to be made."""

    model_config = ConfigDict(extra="forbid")

    names: Annotated[list[_Host], Field(max_length=100)] = []
    """Names and addresses that it is for; empty: those by which this node is known."""
    days: Annotated[int, Field(ge=1, le=3650)] = 825
    renew: bool = False
    """Whether one that is there is replaced."""


class NewPeerCertificate(BaseModel):
    """A peer's certificate, as it is to be made."""

    model_config = ConfigDict(extra="forbid")

    peer: Annotated[str, Field(min_length=1, max_length=64)]
    names: Annotated[list[_Host], Field(max_length=100)] = []
    """Names and addresses that it is for; empty: those of the configured peer."""
    days: Annotated[int, Field(ge=1, le=3650)] = 825
    renew: bool = False


def router(desk: ApiDesk) -> APIRouter:
    """Everything under /tls."""
    routes = APIRouter(tags=["this node"])

    @routes.get("/tls", summary="DICOM over TLS as it is offered")
    def show() -> TlsStatus:
        """Versions, cipher suites, our certificate, and what is wrong or soon will be."""
        return _shape(desk.node.tls())

    @routes.post("/tls/init", summary="Make the certificate of this node", responses=refusals(400, 409))
    def init(request: Request, wanted: NewCertificate) -> TlsStatus:
        """Make an authority of our own where there is none, and a certificate of this node by it.

        One that is there stays (409) unless ``renew`` is true. A service that had none offers TLS from
        its next start on; one that had takes the new one for the next connection.
        """
        note(request, "certificate made", subject="this node")
        desk.node.make_certificate(CertificateOrder(tuple(wanted.names), wanted.days, wanted.renew))
        return _shape(desk.node.tls())

    @routes.post(
        "/tls/peer-certificate",
        summary="Make a certificate for a peer",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}, **refusals(400, 409)},
    )
    def for_peer(request: Request, wanted: NewPeerCertificate) -> Response:
        """A zip archive with the certificate, its key, and our authority's certificate. The key is a secret."""
        note(request, "certificate made", subject=wanted.peer)
        order = CertificateOrder(tuple(wanted.names), wanted.days, wanted.renew, wanted.peer)
        content = _zipped(desk.node.make_certificate(order))
        name = f'attachment; filename="{wanted.peer}-tls.zip"'
        return Response(content, 200, {"Content-Disposition": name, "Cache-Control": "no-store"}, "application/zip")

    return routes


def _zipped(files: Mapping[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, path in files.items():
            archive.write(path, name)
    return buffer.getvalue()


def _shape(offer: TlsOffer) -> TlsStatus:
    return TlsStatus(
        is_offered=offer.is_offered,
        port=offer.port,
        versions=list(offer.versions),
        cipher_suites=list(offer.cipher_suites),
        client_certificates=offer.client_certificates,
        certificate=_certificate(offer.certificate) if offer.certificate is not None else None,
        authorities=offer.authorities,
        warning=offer.warning,
    )


def _certificate(facts: CertificateFacts) -> Certificate:
    return Certificate(
        subject=facts.subject,
        issuer=facts.issuer,
        names=list(facts.names),
        key=facts.key,
        not_before_s=facts.not_before.timestamp(),
        not_after_s=facts.not_after.timestamp(),
        days_left=facts.days_left_now(),
        sha256=facts.sha256,
    )
