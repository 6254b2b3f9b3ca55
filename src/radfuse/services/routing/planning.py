"""What a rule makes of a study: which objects go where, and why others do not. Nothing is changed here."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import ArchiveError, DataSetError
from radfuse.dicom import Identifier, read_file_meta
from radfuse.services.comparisons import SOURCE_AE_TITLE
from radfuse.services.peers import Peer
from radfuse.services.rules import Rule

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Plan:
    """What a rule would do with objects of one study."""

    to_send: dict[str, list[StoredObject]] = field(default_factory=dict)
    """By name of the peer."""
    complete: list[StoredObject] = field(default_factory=list)
    """Those that go to every destination: only these may be forgotten afterwards."""
    objects: int = 0
    unmatched: int = 0
    returning: int = 0
    """Sends left out because the object came from that very peer."""
    unreadable: int = 0


class _ObjectFacts:
    """What is known of one kept object; its file is opened only when a condition needs it."""

    def __init__(self, archive: Archive, kept: queries.KeptObject, last_tag: int) -> None:
        self._archive = archive
        self._kept = kept
        self._last_tag = last_tag
        self._header: Identifier | None = None
        self._source: str | None = None

    @property
    def source(self) -> str:
        """The AE title that sent the object to us, empty when it came otherwise."""
        if self._source is None:
            with self._archive.open_object(self._kept.stored) as opened:
                meta = read_file_meta(os.pread(opened.file, opened.data_start, 0))
            self._source = meta.source_ae_title.strip()
        return self._source

    def indexed(self, tag: int) -> tuple[str, ...] | None:
        """The values of an attribute that need no look at the header."""
        if tag == SOURCE_AE_TITLE:
            return (self.source,) if self.source else ()
        if tag in queries.INDEX_KEYS:
            return self._kept.values.get(tag, ())
        return None

    def header(self) -> Identifier:
        """The header, up to what the rule looks at."""
        if self._header is None:
            self._header = self._archive.read_header(self._kept.stored, self._last_tag)
        return self._header


def plan(
    archive: Archive,
    rule: Rule,
    peers: Sequence[Peer],
    study_instance_uid: str,
    arrived_since_s: int,
    should_stop: Callable[[], bool] | None = None,
) -> Plan:
    """What ``rule`` would do with the objects of a study that arrived since then; with fewer when it should stop."""
    tags = {attribute.tag for attribute in rule.condition.attributes}
    last_tag = max(tags, default=0)
    made = Plan({peer.name: [] for peer in peers})
    with archive.reading() as connection:
        kept = list(queries.objects_since(connection, study_instance_uid, arrived_since_s, tags))
    for each in kept:
        if should_stop is not None and should_stop():
            break
        made.objects += 1
        facts = _ObjectFacts(archive, each, last_tag)
        try:
            if rule.condition.holds(facts):
                _add(made, each.stored, facts.source, peers)
            else:
                made.unmatched += 1
        except (ArchiveError, DataSetError) as error:
            made.unreadable += 1
            _log.warning("a rule leaves out an object that cannot be read: %s", error, extra={"rule": rule.name})
    return made


def _add(made: Plan, stored: StoredObject, source: str, peers: Sequence[Peer]) -> None:
    """Note where the object goes: everywhere but back to where it came from."""
    goes_back = [peer for peer in peers if peer.ae_title == source]
    made.returning += len(goes_back)
    for peer in peers:
        if peer.ae_title != source:
            made.to_send[peer.name].append(stored)
    if not goes_back:
        made.complete.append(stored)
