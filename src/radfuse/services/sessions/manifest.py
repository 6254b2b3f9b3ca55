"""The Key Object Selection that holds a session together, and what stands in its private block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from pydicom.dataset import Dataset

from radfuse.objects.common import Code, Making, NewSeries, Provenance, Reference, reference_to
from radfuse.objects.ko import KeyObjects, build_key_objects
from radfuse.objects.sr import add_predecessor
from radfuse.services.sessions.block import add_block
from radfuse.services.sessions.model import KeptSession, NewSession, Part
from radfuse.services.sessions.parts import Parts
from radfuse.services.sessions.predecessors import kept_reference
from radfuse.services.workspace_objects import Images, SegmentOfRegion
from radfuse.services.workspace_objects.segmentations import kept_rule

MANIFEST: Final = Code("113030", "DCM", "Manifest")

_MOST_TEXT: Final = 1024


def manifests_of(
    images: Images,
    new: NewSession,
    parts: Parts,
    listed: Sequence[Part],
    predecessor: KeptSession | None,
    making: Making,
) -> list[Dataset]:
    """One for each study that the session is about, that of the session first; they name each other."""
    patient = _patient_of(images, new)
    drawn_on = (new.view_of(region.series) for region in new.regions)
    views = {view.series: view for view in (*new.views, *drawn_on)}
    own = [view for view in views.values() if images.patient(view.series) == patient]
    headers = {view.series: images.headers(view) for view in own}
    references = list(_references(parts, headers.values()))
    sources = _sources(new.study, headers.values(), references)
    version = predecessor.version + 1 if predecessor else 1
    documents = build_key_objects(
        KeyObjects(
            tuple(reference for reference in references if reference.study_uid in sources),
            title=MANIFEST,
            description=_description(new, version),
        ),
        list(sources.values()),
        provenance=Provenance("session of the workstation", {"version": str(version)}),
        series=NewSeries("Session"),
        making=making,
    )
    facts = _facts(new, parts, listed, predecessor, version, making)
    for document in documents:
        if predecessor is not None:
            add_predecessor(document, kept_reference(images.archive, predecessor.sop_instance_uid))
        add_block(document, facts)
    return documents


def _patient_of(images: Images, new: NewSession) -> int:
    return images.patient(new.views[0].series)


def _references(parts: Parts, headers: Iterable[Sequence[Dataset]]) -> Iterator[Reference]:
    """What was made, then the registrations, then the images."""
    seen = set[str]()
    made = (reference_to(part.ds) for part in parts.made)
    shown = (reference_to(header) for each in headers for header in each)
    for reference in (*made, *parts.registrations, *shown):
        if reference.sop_instance_uid not in seen:
            seen.add(reference.sop_instance_uid)
            yield reference


def _sources(
    study: str, headers: Iterable[Sequence[Dataset]], references: Sequence[Reference]
) -> Mapping[str, Dataset]:
    """The header of one image of each study, that of the session first. Of other patients there is none."""
    found = {str(each[0].StudyInstanceUID): each[0] for each in headers}
    wanted = {reference.study_uid for reference in references}
    return {uid: found[uid] for uid in sorted(found, key=lambda uid: uid != study) if uid in wanted}


def _description(new: NewSession, version: int) -> str:
    """For other systems: what it is called, and what was noted."""
    text = f"{new.name} (version {version})"
    return (f"{text}\n{new.note}" if new.note else text)[:_MOST_TEXT]


def _facts(
    new: NewSession,
    parts: Parts,
    listed: Sequence[Part],
    predecessor: KeptSession | None,
    version: int,
    making: Making,
) -> dict[str, Any]:
    return {
        "name": new.name,
        "note": new.note,
        "by": new.by,
        "made_s": making.when.timestamp(),
        "version": version,
        "predecessor": predecessor.sop_instance_uid if predecessor else "",
        "study": new.study,
        "workspace": new.workspace,
        "parts": [asdict(part) for part in listed],
        "segments": {region: asdict(segment) for region, segment in parts.segments.items()},
        "document": _document(new, parts.segments),
    }


def _document(new: NewSession, segments: Mapping[str, SegmentOfRegion]) -> dict[str, Any]:
    """The document with rules that need no voxels."""
    document = dict(new.document)
    document["regions"] = [
        {**region, "rule": kept_rule(region["rule"], segments[region["id"]])} for region in document.get("regions", ())
    ]
    return document
