"""Presentation contexts to propose, and counters."""

from __future__ import annotations

import pytest

from radfuse.archive import StoredObject
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE, JPEG_2000, JPEG_LOSSLESS_SV1
from radfuse.services.transfer import Offer, SubOperations, kinds_of, propose
from tests.support.generate import CT_IMAGE, MR_IMAGE


def stored(uid: str, syntax: str) -> StoredObject:
    return StoredObject(uid, "1.2.3", syntax, b"", 0, b"")


def test_kinds_are_the_distinct_pairs_in_order() -> None:
    objects = [stored(CT_IMAGE, JPEG_2000), stored(MR_IMAGE, EXPLICIT_LITTLE), stored(CT_IMAGE, JPEG_2000)]
    assert kinds_of(objects) == [(CT_IMAGE, JPEG_2000), (MR_IMAGE, EXPLICIT_LITTLE)]


def test_each_kind_is_proposed_as_stored_and_natively() -> None:
    ((kinds, contexts),) = propose([(CT_IMAGE, JPEG_2000), (CT_IMAGE, EXPLICIT_LITTLE)])
    assert kinds == {(CT_IMAGE, JPEG_2000), (CT_IMAGE, EXPLICIT_LITTLE)}
    assert [context.transfer_syntaxes for context in contexts] == [
        (JPEG_2000,),
        (EXPLICIT_LITTLE, IMPLICIT_LITTLE),
        (EXPLICIT_LITTLE,),
    ]


@pytest.mark.parametrize(
    ("offer", "stored_as", "proposed"),
    [
        (Offer(None, (EXPLICIT_LITTLE, IMPLICIT_LITTLE)), JPEG_2000, [(EXPLICIT_LITTLE, IMPLICIT_LITTLE)]),
        (Offer(None, (IMPLICIT_LITTLE, EXPLICIT_LITTLE)), EXPLICIT_LITTLE,
         [(EXPLICIT_LITTLE,), (IMPLICIT_LITTLE, EXPLICIT_LITTLE)]),
        (Offer(None, (JPEG_LOSSLESS_SV1,)), EXPLICIT_LITTLE, [(JPEG_LOSSLESS_SV1,)]),
        (Offer(None, (EXPLICIT_LITTLE, JPEG_LOSSLESS_SV1), (JPEG_LOSSLESS_SV1,)), EXPLICIT_LITTLE,
         [(JPEG_LOSSLESS_SV1,), (EXPLICIT_LITTLE,)]),
        (Offer(None, (EXPLICIT_LITTLE,), (JPEG_LOSSLESS_SV1,)), EXPLICIT_LITTLE, [(EXPLICIT_LITTLE,)]),
        (Offer(None, (EXPLICIT_LITTLE, JPEG_2000), (), JPEG_2000), EXPLICIT_LITTLE, [(EXPLICIT_LITTLE,), (JPEG_2000,)]),
        (Offer(None, (EXPLICIT_LITTLE,), (), JPEG_2000), EXPLICIT_LITTLE, [(EXPLICIT_LITTLE,)]),
        (Offer(frozenset({MR_IMAGE}), None), EXPLICIT_LITTLE, []),
        (Offer(None, (JPEG_LOSSLESS_SV1,)), "1.2.840.10008.1.2.4.102", []),
    ],
)  # fmt: skip
def test_nothing_is_proposed_that_is_not_offered(offer: Offer, stored_as: str, proposed: list[tuple[str, ...]]) -> None:
    assert [syntaxes for _, syntaxes in offer.contexts_for((CT_IMAGE, stored_as))] == proposed
    assert [
        [context.transfer_syntaxes for context in contexts] for _, contexts in propose([(CT_IMAGE, stored_as)], offer)
    ] == ([proposed] if proposed else [])


@pytest.mark.parametrize("count", [0, 1, 64, 65, 200])
def test_no_association_proposes_more_than_128_contexts(count: int) -> None:
    kinds = [(f"1.2.{number}", JPEG_2000) for number in range(count)]
    batches = list(propose(kinds))
    assert sorted(kind for covered, _ in batches for kind in covered) == sorted(kinds)
    assert all(0 < len(contexts) <= 128 for _, contexts in batches)
    assert len(batches) == -(-count // 64)


@pytest.mark.parametrize(
    ("answer", "completed", "failed", "warning"),
    [(0, 1, 0, 0), (0xB000, 0, 0, 1), (0xB007, 0, 0, 1), (0xA700, 0, 1, 0), (0x0111, 0, 1, 0), (0xC123, 0, 1, 0)],
)
def test_a_sub_operation_is_counted_by_its_status(answer: int, completed: int, failed: int, warning: int) -> None:
    counters = SubOperations(3)
    counters.count("1.2.3", answer)
    assert (counters.remaining, counters.completed, counters.failed, counters.warning) == (
        2,
        completed,
        failed,
        warning,
    )
    assert counters.failed_uids == ["1.2.3"] * failed
    counters.fail(["4", "5"])
    assert (counters.remaining, counters.failed) == (0, failed + 2)
