"""Buffers are aligned to pages and used again, but never by two at once."""

from __future__ import annotations

import ctypes

from radfuse.archive.buffers import BufferPool


def test_a_buffer_begins_at_a_page() -> None:
    buffer = BufferPool(8192).take()
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    assert address % 4096 == 0
    assert len(buffer) == 8192


def test_a_buffer_is_used_again_only_when_it_was_given_back() -> None:
    pool = BufferPool(4096)
    first, then = pool.take(), pool.take()
    assert first is not then
    pool.give_back(first, 100)
    assert pool.take() is first
    assert pool.take() is not first


def test_many_small_buffers_are_kept_and_few_large_ones() -> None:
    pool = BufferPool(1 << 20)
    small, large = ([pool.take() for _ in range(20)] for _ in range(2))
    for each in small:
        pool.give_back(each, 9000)
    for each in large:
        pool.give_back(each, 500_000)
    again = {id(pool.take()) for _ in range(40)}
    assert {id(each) for each in small} <= again
    assert len({id(each) for each in large} & again) == 4
