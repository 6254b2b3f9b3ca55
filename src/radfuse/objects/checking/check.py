"""Everything that is checked before an object of ours leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.checking.attributes import missing
from radfuse.objects.checking.content import wrong_content
from radfuse.objects.checking.functional_groups import wrong_groups
from radfuse.objects.checking.geometry import wrong_geometry
from radfuse.objects.checking.model import Facts, Fault, facts_of
from radfuse.objects.checking.references import wrong_references
from radfuse.objects.checking.registrations import wrong_registrations
from radfuse.objects.checking.tables import plan_of
from radfuse.objects.checking.values import has_text_beyond_ascii, wrong_values

_CHARACTER_SET: Final = 0x0008_0005
_SOP_CLASS: Final = 0x0008_0016
_SOP_INSTANCE: Final = 0x0008_0018
_SERIES: Final = 0x0020_000E
_MOST_NAMED: Final = 20
_SOURCES: Final = "SourceImageSequence"

_Judge = Callable[[Dataset], Iterator[Fault]]


def faults_of(ds: Dataset, known: Mapping[str, Facts] | None = None) -> tuple[Fault, ...]:
    """What is wrong with one object.

    ``known``: what it may refer to, by SOP Instance UID; None leaves references to others unchecked.
    """
    return (*_own_faults(ds), *_reference_faults(ds, known))


def _reference_faults(ds: Dataset, known: Mapping[str, Facts] | None) -> list[Fault]:
    return _guarded(ds, lambda it: wrong_references(it, known)) if known is not None else []


def _own_faults(ds: Dataset) -> tuple[Fault, ...]:
    plan = plan_of(str(ds.get("SOPClassUID", "")))
    if plan is None:
        return (Fault((_SOP_CLASS,), "SOP class", "Radfuse knows no rules for this SOP class, and does not write it"),)
    found = [*_guarded(ds, lambda it: missing(it, plan)), *_guarded(ds, wrong_values)]
    for judge in (_meta, _uids, _character_set, wrong_groups, wrong_geometry, wrong_registrations):
        found += _guarded(ds, judge)
    if "ValueType" in ds or str(ds.get("Modality", "")) in ("SR", "KO"):
        found += _guarded(ds, wrong_content)
    return tuple(found)


def check(batch: Sequence[Dataset], known: Mapping[str, Facts] | None = None) -> tuple[tuple[Fault, ...], ...]:
    """What is wrong with each of several objects that are stored together and may refer to each other."""
    if known is not None:
        known = {**known, **facts_of(batch)}
    seen: set[str] = set()
    clean: set[int] = set()
    result = []
    for ds in batch:
        sources = ds.get(_SOURCES)
        own = _own_faults(_without_sources(ds) if id(sources) in clean else ds)
        if sources is not None and not own:
            clean.add(id(sources))
        faults = (*own, *_reference_faults(ds, known))
        uid = str(ds.get("SOPInstanceUID", ""))
        if uid in seen:
            faults += (Fault((_SOP_INSTANCE,), "UID", "two objects have the same SOP Instance UID"),)
        seen.add(uid)
        result.append(faults)
    return tuple(result)


def _without_sources(ds: Dataset) -> Dataset:
    """The images of a series may share one long Source Image Sequence: it is judged once."""
    view = Dataset()
    view.update({element.tag: element for element in ds if element.keyword != _SOURCES})
    return view


def require_valid(batch: Sequence[Dataset], known: Mapping[str, Facts] | None = None) -> None:
    """Raise InvalidObject when any of the objects has a fault."""
    sentences = dict.fromkeys(str(fault) for faults in check(batch, known) for fault in faults)
    if sentences:
        named = tuple(sentences)[:_MOST_NAMED]
        more = len(sentences) - len(named)
        raise InvalidObject((*named, f"and {more} more") if more else named)


def _guarded(ds: Dataset, judge: _Judge) -> list[Fault]:
    """What a judge finds; a value that it cannot even read is a fault too."""
    found: list[Fault] = []
    try:
        found.extend(judge(ds))
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        found.append(Fault((), "value", f"a value cannot be read ({type(error).__name__})"))
    return found


def _meta(ds: Dataset) -> Iterator[Fault]:
    """File meta information, where there is any, must name the same object (PS3.10 section 7.1)."""
    meta = getattr(ds, "file_meta", None)
    if meta is None:
        return
    for in_meta, tag in (("MediaStorageSOPClassUID", _SOP_CLASS), ("MediaStorageSOPInstanceUID", _SOP_INSTANCE)):
        if in_meta in meta and tag in ds and meta.get(in_meta) != ds[tag].value:
            yield Fault((tag,), "meta", "the file meta information names another")


def _uids(ds: Dataset) -> Iterator[Fault]:
    """Series and instance are ours: their UIDs are nobody else's. Those of study and frame are the images' own."""
    series, instance = (str(ds[tag].value) if tag in ds else "" for tag in (_SERIES, _SOP_INSTANCE))
    others = {str(ds.get("StudyInstanceUID", "")), str(ds.get("FrameOfReferenceUID", ""))} - {""}
    if series in others or instance in others or (series and series == instance):
        yield Fault((_SOP_INSTANCE,), "UID", "study, series, instance and frame of reference share a UID")


def _character_set(ds: Dataset) -> Iterator[Fault]:
    if not ds.get("SpecificCharacterSet") and has_text_beyond_ascii(ds):
        yield Fault((_CHARACTER_SET,), "type 1C", "texts beyond ASCII need it (PS3.3 section C.12.1.1.2)")
