"""Drafts: nothing that was sent is lost, whoever writes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from radfuse.core.errors import ObjectTooLarge, UnknownEntity
from radfuse.services.workspaces import Change, Newest, Workspaces, keeping

DATABASE, STUDY = "default", "2.25.1"
ANNE = Change(1, b'{"by": "anne"}', "anne", "tab 1")
BEN = Change(1, b'{"by": "ben"}', "ben", "tab 9")
_DAY_S = 86_400.0


@pytest.fixture
def drafts(tmp_path: Path) -> Iterator[Workspaces]:
    with contextlib.closing(Workspaces(tmp_path, keep_days=10)) as made:
        yield made


@pytest.fixture
def draft(drafts: Workspaces) -> Newest:
    return drafts.create(DATABASE, STUDY, "Liver", ANNE)


def test_a_draft_is_there_after_a_restart(tmp_path: Path) -> None:
    with contextlib.closing(Workspaces(tmp_path)) as first:
        made = first.create(DATABASE, STUDY, "Liver", ANNE)
        assert first.change(DATABASE, made.facts.id, replace(ANNE, state=b"[2]", title="Spleen")).revision == 2
    with contextlib.closing(Workspaces(tmp_path)) as second:
        found = second.find(DATABASE, made.facts.id)
        (listed,) = second.of_study(DATABASE, STUDY)
    assert (found.state, found.facts.revision, found.facts.title) == (b"[2]", 2, "Spleen")
    assert listed == found.facts
    assert (listed.made_by, listed.size_bytes) == ("anne", 3)


def test_one_page_that_goes_on_keeps_one_version(drafts: Workspaces, draft: Newest) -> None:
    for revision in range(1, 6):
        change = replace(ANNE, revision=revision, state=b"%d" % revision)
        assert drafts.change(DATABASE, draft.facts.id, change).revision == revision + 1
    (only,) = drafts.versions(DATABASE, draft.facts.id)
    assert (only.is_newest, only.revision) == (True, 6)


def test_who_writes_on_an_old_revision_is_told_and_both_states_are_kept(drafts: Workspaces, draft: Newest) -> None:
    id_ = draft.facts.id
    assert drafts.change(DATABASE, id_, replace(ANNE, state=b"hers")).theirs is None
    refused = drafts.change(DATABASE, id_, replace(BEN, state=b"his"))
    assert refused.revision == 2
    assert refused.theirs is not None
    assert (refused.theirs.state, refused.theirs.facts.changed_by) == (b"hers", "anne")
    kept = {version.changed_by: version for version in drafts.versions(DATABASE, id_)}
    assert (kept["anne"].is_newest, kept["ben"].is_newest) == (True, False)
    assert drafts.version(DATABASE, id_, kept["ben"].number).state == b"his"
    # He works on meanwhile: his version follows, and there is no second one.
    drafts.change(DATABASE, id_, replace(BEN, state=b"his, later"))
    assert drafts.version(DATABASE, id_, kept["ben"].number).state == b"his, later"
    assert len(drafts.versions(DATABASE, id_)) == 2


def test_what_another_one_made_is_kept_when_it_is_replaced(drafts: Workspaces, draft: Newest) -> None:
    id_ = draft.facts.id
    drafts.change(DATABASE, id_, replace(ANNE, state=b"hers"))
    drafts.change(DATABASE, id_, replace(BEN, state=b"too late"))
    assert drafts.change(DATABASE, id_, replace(BEN, revision=2, state=b"mine after all")).revision == 3
    states = {drafts.version(DATABASE, id_, each.number).state for each in drafts.versions(DATABASE, id_)}
    assert states == {b"hers", b"too late", b"mine after all"}
    assert drafts.find(DATABASE, id_).state == b"mine after all"


def test_a_page_whose_answers_were_lost_is_in_no_conflict_with_itself(drafts: Workspaces, draft: Newest) -> None:
    id_ = draft.facts.id
    for state in (b"a", b"a", b"b", b"c"):  # it never hears of a revision beyond 1
        assert drafts.change(DATABASE, id_, replace(ANNE, state=state)).theirs is None
    assert drafts.find(DATABASE, id_).state == b"c"
    assert drafts.change(DATABASE, id_, replace(ANNE, client="tab 2", state=b"d")).theirs is not None


def test_the_same_state_is_no_conflict_whoever_sends_it(drafts: Workspaces, draft: Newest) -> None:
    id_ = draft.facts.id
    drafts.change(DATABASE, id_, replace(ANNE, state=b"same"))
    assert drafts.change(DATABASE, id_, replace(BEN, state=b"same")).revision == 2


def test_versions_are_bounded_and_the_newest_stays(
    drafts: Workspaces, draft: Newest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_VERSIONS", 4)
    id_ = draft.facts.id
    drafts.change(DATABASE, id_, replace(ANNE, state=b"newest"))
    for number in range(10):
        drafts.change(DATABASE, id_, replace(BEN, client=f"tab {number}", state=b"%d" % number))
    versions = drafts.versions(DATABASE, id_)
    assert len(versions) == 4
    states = {drafts.version(DATABASE, id_, version.number).state for version in versions}
    assert states == {b"newest", b"7", b"8", b"9"}


def test_a_state_beyond_the_limit_is_refused_and_the_draft_stays(
    drafts: Workspaces, draft: Newest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "LIMIT_BYTES", 100)
    with pytest.raises(ObjectTooLarge):
        drafts.change(DATABASE, draft.facts.id, replace(ANNE, state=bytes(101)))
    assert drafts.find(DATABASE, draft.facts.id).state == ANNE.state


def test_a_draft_is_of_its_database_alone_and_gone_when_it_is_removed(drafts: Workspaces, draft: Newest) -> None:
    id_ = draft.facts.id
    with pytest.raises(UnknownEntity):
        drafts.find("research", id_)
    with pytest.raises(UnknownEntity):
        drafts.remove("research", id_)
    assert drafts.of_study("research", STUDY) == []
    drafts.remove(DATABASE, id_)
    for ask in (drafts.find, drafts.versions):
        with pytest.raises(UnknownEntity):
            ask(DATABASE, id_)
    with pytest.raises(UnknownEntity):
        drafts.change(DATABASE, id_, ANNE)


def test_drafts_that_nobody_changes_are_removed_in_the_end(drafts: Workspaces, draft: Newest) -> None:
    now_s = draft.facts.changed_s
    assert drafts.prune(now_s + 9 * _DAY_S) == 0
    assert drafts.prune(now_s + 11 * _DAY_S) == 1
    with pytest.raises(UnknownEntity):
        drafts.find(DATABASE, draft.facts.id)
