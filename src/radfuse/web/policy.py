"""Who may ask for what: one table of all routes. What no row names, and what is below the API, is the administrator's.

The table also says what the access log is told of a DICOMweb request; the API's handlers tell it themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from radfuse.services.roles import Role

PUBLIC: Final = None
"""Needs no login."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route: the role that it needs, and what is done by it."""

    method: str
    """GET is HEAD too; * is every one."""
    path: str
    """With ``{name}`` for one segment and ``{name:path}`` for all that follow."""
    needs: Role | None
    action: str = ""
    """For the access log, where the route itself tells it nothing."""
    is_watching: bool = False
    """Whether a page asks for it by itself: a session does not stay for it."""


READER: Final = Role.READER
OPERATOR: Final = Role.OPERATOR
ADMINISTRATOR: Final = Role.ADMINISTRATOR

_STUDY: Final = "/studies/{study}"
_SERIES: Final = _STUDY + "/series/{series}"
_INSTANCE: Final = _SERIES + "/instances/{instance}"

_DICOMWEB: Final[tuple[tuple[str, str, Role, str], ...]] = (
    ("GET", "/studies", READER, "search"),
    ("GET", "/series", READER, "search"),
    ("GET", "/instances", READER, "search"),
    ("GET", _STUDY + "/series", READER, "search"),
    ("GET", _STUDY + "/instances", READER, "search"),
    ("GET", _SERIES + "/instances", READER, "search"),
    *(
        (method, level + path, READER, action)
        for level in (_STUDY, _SERIES, _INSTANCE)
        for method, path, action in (
            ("GET", "", "download"),
            ("GET", "/metadata", "view"),
            ("GET", "/rendered", "view"),
            ("GET", "/thumbnail", "view"),
        )
    ),
    ("GET", _INSTANCE + "/frames/{frames}", READER, "view"),
    ("GET", _INSTANCE + "/frames/{frames}/rendered", READER, "view"),
    ("GET", _INSTANCE + "/frames/{frames}/thumbnail", READER, "view"),
    ("GET", _INSTANCE + "/bulkdata/{bulk:path}", READER, "view"),
    ("POST", "/studies", OPERATOR, "store"),
    ("POST", _STUDY, OPERATOR, "store"),
)
"""Below the DICOMweb service of each database."""

DICOMWEB_PREFIXES: Final = ("/dicom-web", "/databases/{database}/dicom-web")

_API: Final = (
    # Who one is.
    Row("GET", "/api/session", READER, is_watching=True),
    Row("POST", "/api/session", PUBLIC),
    Row("DELETE", "/api/session", PUBLIC),
    Row("PUT", "/api/session/password", READER),
    Row("GET", "/api/tokens", READER),
    Row("POST", "/api/tokens", READER),
    Row("DELETE", "/api/tokens/{token}", READER),
    Row("GET", "/api/users", ADMINISTRATOR),
    Row("POST", "/api/users", ADMINISTRATOR),
    Row("PATCH", "/api/users/{name}", ADMINISTRATOR),
    Row("DELETE", "/api/users/{name}", ADMINISTRATOR),
    Row("GET", "/api/audit", ADMINISTRATOR),
    # What is kept.
    Row("GET", "/api/studies", READER),
    Row("GET", "/api" + _STUDY, READER),
    Row("GET", "/api" + _STUDY + "/history", READER),
    Row("GET", "/api" + _STUDY + "/holding", READER),
    Row("GET", "/api" + _STUDY + "/priors", READER),
    Row("GET", "/api" + _SERIES, READER),
    Row("GET", "/api" + _INSTANCE + "/attributes", READER),
    Row("GET", "/api/openings", READER),
    Row("GET", "/api/volumes/{series}", READER),
    Row("GET", "/api/volumes/{series}/voxels", READER),
    Row("GET", "/api/volumes/{series}/rotating-mip", READER),
    Row("POST", "/api/values", READER),
    Row("GET", "/api/frames/{instance}/value", READER),
    Row("POST", "/api/pictures", READER),
    Row("GET", "/api/documents/{instance}", READER),
    Row("GET", "/api/documents/{instance}/file", READER),
    Row("GET", "/api/waveforms/{instance}", READER),
    Row("GET", "/api/waveforms/{instance}/samples", READER),
    Row("GET", "/api/registrations", READER),
    Row("GET", "/api/registrations/path", READER),
    Row("POST", "/api/registrations", OPERATOR),
    Row("POST", "/api/registrations/points", READER),
    Row("POST", "/api/registrations/landmarks", READER),
    Row("GET", "/api/registrations/proposals/{number}", READER),
    Row("GET", "/api/registrations/proposals/{number}/pictures/{picture}", READER),
    Row("POST", "/api/registrations/proposals/{number}/accept", OPERATOR),
    Row("DELETE", "/api/registrations/proposals/{number}", OPERATOR),
    Row("POST", "/api/registrations/carry", OPERATOR),
    Row("GET", "/api/followups", READER),
    Row("POST", "/api/followups", OPERATOR),
    # The workstation: a draft is one's own work, and nothing of it is kept in the archive.
    Row("POST", "/api/regions", READER),
    Row("POST", "/api/tumour-burden", READER),
    Row("POST", "/api/dose", READER),
    Row("GET", "/api/structures/{series}", READER),
    Row("GET", "/api/workspaces", READER),
    Row("POST", "/api/workspaces", READER),
    Row("GET", "/api/workspaces/{workspace}", READER),
    Row("PUT", "/api/workspaces/{workspace}", READER),
    Row("DELETE", "/api/workspaces/{workspace}", READER),
    Row("GET", "/api/workspaces/{workspace}/versions", READER),
    Row("GET", "/api/workspaces/{workspace}/versions/{number}", READER),
    Row("POST", "/api/workspaces/{workspace}/session", OPERATOR),
    Row("GET", "/api/sessions", READER),
    Row("POST", "/api/exports/plan", READER),
    Row("POST", "/api/exports", OPERATOR),
    Row("GET", "/api/exports/{job}/file", READER),
    Row("POST", "/api/uploads", OPERATOR),
    # Media: in folders of the server they are the administrator's.
    Row("GET", "/api/media/profiles", READER),
    Row("POST", "/api/media/plans", OPERATOR),
    Row("POST", "/api/media/exports", OPERATOR),
    Row("GET", "/api/media/exports/{job}", OPERATOR),
    Row("GET", "/api/media/exports/{job}/file", OPERATOR),
    Row("GET", "/api/media/folders", ADMINISTRATOR),
    Row("POST", "/api/media/imports", ADMINISTRATOR),
    Row("GET", "/api/media/imports/{job}", OPERATOR),
    Row("POST", "/api/deletions", OPERATOR),
    # Jobs.
    Row("GET", "/api/jobs", READER),
    Row("GET", "/api/jobs/totals", READER, is_watching=True),
    Row("GET", "/api/jobs/{number}", READER),
    Row("GET", "/api/jobs/{number}/items", READER),
    *(Row("POST", f"/api/jobs/{{number}}/{action}", OPERATOR) for action in ("cancel", "pause", "resume", "retry")),
    Row("PUT", "/api/jobs/{number}/priority", OPERATOR),
    Row("POST", "/api/sends", OPERATOR),
    Row("POST", "/api/anonymizations", OPERATOR),
    Row("GET", "/api/preview-anonymization", OPERATOR),
    Row("POST", "/api/retrievals", OPERATOR),
    Row("GET", "/api/events", READER, is_watching=True),
    # Peers and what is done with them.
    Row("GET", "/api/peers", READER),
    Row("PUT", "/api/peers/{name}", ADMINISTRATOR),
    Row("DELETE", "/api/peers/{name}", ADMINISTRATOR),
    Row("POST", "/api/peers/test", ADMINISTRATOR),
    Row("POST", "/api/peers/{name}/test", OPERATOR),
    Row("POST", "/api/peers/{name}/query", OPERATOR),
    Row("GET", "/api/contexts", OPERATOR),
    Row("PUT", "/api/contexts/{name}", ADMINISTRATOR),
    Row("DELETE", "/api/contexts/{name}", ADMINISTRATOR),
    Row("GET", "/api/rules", OPERATOR),
    Row("PUT", "/api/rules/{name}", ADMINISTRATOR),
    Row("PATCH", "/api/rules/{name}", ADMINISTRATOR),
    Row("DELETE", "/api/rules/{name}", ADMINISTRATOR),
    Row("POST", "/api/rules/rehearse", ADMINISTRATOR),
    # The node.
    Row("GET", "/api/status", READER, is_watching=True),
    Row("GET", "/api/databases", READER),
    Row("GET", "/api/settings", ADMINISTRATOR),
    Row("PUT", "/api/settings", ADMINISTRATOR),
    Row("GET", "/api/tls", ADMINISTRATOR),
    Row("POST", "/api/tls/init", ADMINISTRATOR),
    Row("POST", "/api/tls/peer-certificate", ADMINISTRATOR),
    # What the API is.
    Row("GET", "/api/openapi.json", READER),
    Row("GET", "/api/docs", READER),
)

RESERVED: Final = ("/api", "/dicom-web", "/databases", "/metrics", "/healthz", "/ohif")
"""Below these nothing is the console's."""

POLICY: Final[tuple[Row, ...]] = (
    *(
        Row(method, prefix + path, needs, action)
        for prefix in DICOMWEB_PREFIXES
        for method, path, needs, action in _DICOMWEB
    ),
    *_API,
    Row("GET", "/healthz", PUBLIC),
    Row("GET", "/metrics", READER),
    # OHIF's files hold nothing but the program: what it shows it asks DICOMweb for.
    Row("GET", "/ohif", PUBLIC),
    Row("GET", "/ohif/{file:path}", PUBLIC),
    *(Row("*", prefix, ADMINISTRATOR) for prefix in RESERVED),
    *(Row("*", prefix + "/{rest:path}", ADMINISTRATOR) for prefix in RESERVED),
    # The console's files: they hold nothing but the program.
    Row("GET", "/{file:path}", PUBLIC),
)
"""All routes there are. A test walks those of the application: each needs its row here."""

_NO_ROW: Final = Row("*", "/{rest:path}", ADMINISTRATOR)


@dataclass(slots=True)
class _Node:
    """The rows of one segment of paths."""

    named: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    rows: dict[str, Row] = field(default_factory=dict)
    """By method: those that end here."""
    rest: dict[str, Row] = field(default_factory=dict)
    """By method: those for everything below."""


def _is_variable(segment: str) -> bool:
    return segment.startswith("{")


def _tree(rows: tuple[Row, ...]) -> _Node:
    root = _Node()
    for row in rows:
        node = root
        for segment in row.path.split("/")[1:]:
            if segment.endswith(":path}"):
                node.rest[row.method] = row
                break
            if _is_variable(segment):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.named.setdefault(segment, _Node())
        else:
            node.rows[row.method] = row
    return root


_TREE: Final = _tree(POLICY)


def row_for(method: str, path: str) -> Row:
    """The row for a request, by the decoded path: the one that says most of it in words."""
    method = "GET" if method == "HEAD" else method
    return _found(_TREE, method, path.split("/")[1:], 0) or _NO_ROW


def _found(node: _Node, method: str, segments: list[str], place: int) -> Row | None:
    if place == len(segments):
        return node.rows.get(method) or node.rows.get("*")
    segment = segments[place]
    named = node.named.get(segment)
    row = _found(named, method, segments, place + 1) if named is not None else None
    if row is None and node.any is not None and segment:
        row = _found(node.any, method, segments, place + 1)
    return row or node.rest.get(method) or node.rest.get("*")


def study_of(row: Row, path: str) -> str:
    """The study that a path names; "" for none."""
    for variable, segment in zip(row.path.split("/"), path.split("/"), strict=False):
        if variable == "{study}":
            return segment
    return ""


def shapes(rows: tuple[Row, ...] = POLICY) -> Iterator[tuple[str, str]]:
    """Methods and paths of the rows, with the names of the variables left out."""
    for row in rows:
        yield row.method, shape_of(row.path)


def shape_of(path: str) -> str:
    """A path template with the names of its variables left out."""
    return "/".join(
        "{:path}" if part.endswith(":path}") else "{}" if _is_variable(part) else part for part in path.split("/")
    )


_WORDS: Final[Mapping[Role, str]] = {
    Role.READER: "a reader",
    Role.OPERATOR: "an operator",
    Role.ADMINISTRATOR: "an administrator",
}


def sentence(row: Row) -> str:
    """Why a request was refused."""
    return f"this needs {_WORDS[row.needs or ADMINISTRATOR]}: ask one to do it, or to give you that role"
