"""Answers kept in memory: as many as were allowed, those that were asked for last."""

from __future__ import annotations

from radfuse.core.memo import Memo


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    memo: Memo[str, int] = Memo(2)
    memo.put("one", 1)
    memo.put("two", 2)
    assert memo.get("one") == 1
    memo.put("three", 3)
    assert [memo.get(name) for name in ("one", "two", "three")] == [1, None, 3]


def test_an_answer_is_found_once_and_may_be_replaced() -> None:
    memo: Memo[str, list[int]] = Memo(2)
    found = memo.of("one", lambda: [1])
    assert memo.of("one", lambda: [2]) is found
    memo.put("one", [3])
    assert memo.of("one", lambda: [2]) == [3]
