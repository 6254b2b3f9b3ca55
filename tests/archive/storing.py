"""A process that stores objects and says which ones were acknowledged; killed by tests at any moment.

``python -m tests.archive.storing FOLDER FIRST COUNT [THREADS] [POLICY]``: objects FIRST, FIRST+1, ...;
COUNT 0 is without end. Every seventh is so large that it is spooled. Prints a number as soon as it is kept.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from pathlib import Path

from radfuse.archive import Archive, DuplicatePolicy
from tests.archive.objects import AnObject, numbered, settings, store

SPOOLED_BYTES = 2_200_000


def made(number: int) -> AnObject:
    """The object of this number, the same in every process."""
    if number % 7 == 0:
        return numbered(number, pixels=number.to_bytes(4, "little") * (SPOOLED_BYTES // 4))
    return numbered(number, pixels=number.to_bytes(4, "little") * (1 + 997 * number % 6000))


def main(folder: str, first: str, count: str, threads: str = "1", policy: str = "keep") -> None:
    """Store and tell."""
    with Archive(settings(Path(folder), DuplicatePolicy(policy))) as archive:
        os.write(1, b"ready\n")
        numbers = itertools.count(int(first))
        if int(count):
            numbers = itertools.islice(numbers, int(count))  # type: ignore[assignment]
        lock = threading.Lock()

        def run() -> None:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                outcome = store(archive, made(number))
                os.write(1, f"{number} {outcome.name}\n".encode())

        runners = [threading.Thread(target=run) for _ in range(int(threads))]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
