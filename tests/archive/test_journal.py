"""The ingest journal: what was appended is read back, and nothing else."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from radfuse.archive.journal import Journal, Record, RecordKind, journals_lock, read_journal
from radfuse.core.errors import OutOfSpace

MIB = 1 << 20
BLOCK = 4096


class Disk:
    """Stands where the archive's sync is called: counts, waits or fails as a disk would."""

    def __init__(self) -> None:
        self.syncs = 0
        self.woken = threading.Event()
        self.generation = 0
        self.error: Exception | None = None
        self.written_again: list[int] = []

    def write_again(self, records: Iterable[Record]) -> None:
        self.written_again += [int.from_bytes(each.blob_id, "big") for each in records]

    def sync(self, generation: int) -> None:
        self.syncs += 1
        self.generation = generation
        if self.error is not None:
            raise self.error


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def journal(tmp_path: Path, disk: Disk) -> Iterator[Journal]:
    made = Journal(tmp_path / "one.journal", MIB, disk.sync, disk.woken.set, disk.write_again)
    yield made
    disk.error = None
    made.close()


def record(number: int, size: int = 100, kind: RecordKind = RecordKind.BYTES) -> Record:
    return Record(kind, number.to_bytes(16, "big"), bytes([number % 251]) * size if kind is RecordKind.BYTES else b"")


def read(data: bytes) -> list[tuple[RecordKind, int, bytes]]:
    return [
        (each.kind, int.from_bytes(each.blob_id, "big"), bytes(each.payload)) for each in read_journal(memoryview(data))
    ]


def expected(*records: Record) -> list[tuple[RecordKind, int, bytes]]:
    return [(each.kind, int.from_bytes(each.blob_id, "big"), bytes(each.payload)) for each in records]


def test_what_was_appended_is_read_in_order(journal: Journal) -> None:
    records = [record(1), record(2, 5000), record(3, kind=RecordKind.FILE), record(4, kind=RecordKind.ABORTED)]
    journal.append(records[:2])
    journal.append(records[2:])
    assert read(journal.path.read_bytes()) == expected(*records)


def test_a_batch_of_more_buffers_than_one_call_takes_is_written_whole(journal: Journal) -> None:
    aborts = [record(number, kind=RecordKind.ABORTED) for number in range(100)]
    for _ in range(2):
        journal.append(aborts)
    assert len(read(journal.path.read_bytes())) == 200


def test_a_record_torn_at_any_byte_does_not_count_and_hides_none_before_it(journal: Journal) -> None:
    first, last = record(1, 300), record(2, 300)
    journal.append([first])
    before = journal.path.read_bytes()[: 2 * BLOCK]
    journal.append([last])
    after = journal.path.read_bytes()[: 2 * BLOCK]
    end = BLOCK + len(after[BLOCK:].rstrip(b"\0"))
    for torn_at in range(BLOCK, end):
        torn = after[:torn_at] + before[torn_at:]
        data = torn.ljust(MIB, b"\0") + bytes(MIB)
        assert read(data) == expected(first), f"torn at byte {torn_at}"
    assert read(after[:end].ljust(MIB, b"\0") + bytes(MIB)) == expected(first, last)


def test_a_changed_byte_anywhere_in_a_record_ends_the_half_before_it(journal: Journal) -> None:
    first, last = record(1, 60), record(2, 60)
    journal.append([first, last])
    data = bytearray(journal.path.read_bytes())
    length = len(bytes(data[BLOCK : 2 * BLOCK]).rstrip(b"\0"))
    for position in range(BLOCK, BLOCK + length):
        data[position] ^= 0x10
        assert read(bytes(data)) == expected(first), f"changed at byte {position}"
        data[position] ^= 0x10


@pytest.mark.parametrize("size", [0, 1, 47, 48, 49, 2 * BLOCK, 2 * BLOCK + 60])
def test_a_journal_cut_short_by_the_crash_is_read_without_error(size: int, journal: Journal) -> None:
    journal.append([record(1, 100)])
    assert len(read(journal.path.read_bytes()[:size])) == int(size >= 2 * BLOCK)


def test_a_full_half_hands_over_to_the_other_and_the_older_is_read_first(journal: Journal, disk: Disk) -> None:
    largest = journal.largest_payload()
    assert journal.append([record(1, largest)]) == 1
    assert journal.append([record(2, largest)]) == 2
    assert disk.woken.is_set()
    assert [number for _, number, _ in read(journal.path.read_bytes())] == [1, 2]
    journal.sync_pending()
    assert (disk.syncs, disk.generation) == (1, 1)
    assert [number for _, number, _ in read(journal.path.read_bytes())] == [2]
    journal.append([record(3, largest)])  # in the half that was first
    assert [number for _, number, _ in read(journal.path.read_bytes())] == [2, 3]


def test_records_of_an_earlier_use_of_a_half_are_not_read_again(journal: Journal) -> None:
    journal.append([record(number) for number in range(10)])
    for _ in range(2):
        assert journal.rotate()
        journal.sync_pending()
        journal.append([record(77)])
    assert read(journal.path.read_bytes()) == expected(record(77))


def test_an_appender_waits_while_both_halves_are_full(journal: Journal, disk: Disk) -> None:
    largest = journal.largest_payload()
    journal.append([record(1, largest)])
    journal.append([record(2, largest)])
    appended = threading.Event()

    def append() -> None:
        journal.append([record(3, largest)])
        appended.set()

    appender = threading.Thread(target=append)
    appender.start()
    assert not appended.wait(0.2)
    assert [number for _, number, _ in read(journal.path.read_bytes())] == [1, 2]
    journal.sync_pending()
    assert appended.wait(10)
    appender.join()
    assert [number for _, number, _ in read(journal.path.read_bytes())] == [2, 3]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EIO, "the disk"), OSError),
        (OSError(errno.ENOSPC, "the disk"), OutOfSpace),
        (RuntimeError("the database"), RuntimeError),
    ],
)
def test_a_half_that_cannot_be_synced_is_not_used_again(
    error: Exception, told: type[Exception], journal: Journal, disk: Disk
) -> None:
    largest = journal.largest_payload()
    journal.append([record(1, largest)])
    journal.append([record(2, largest)])
    disk.error = error
    journal.sync_pending()
    with pytest.raises(told):
        journal.append([record(3, largest)])
    assert [number for _, number, _ in read(journal.path.read_bytes())] == [1, 2]
    assert disk.written_again == []
    disk.error = None
    journal.sync_pending()
    assert disk.written_again == [1]  # what the system could not write it has forgotten
    journal.append([record(3, largest)])
    assert [number for _, number, _ in read(journal.path.read_bytes())] == [2, 3]
    journal.sync_pending()
    assert disk.written_again == [1]


def test_the_aborts_of_a_whole_batch_fit_without_switching_halves(journal: Journal, disk: Disk) -> None:
    journal.append([record(1, journal.largest_payload())])
    journal.append([record(number, kind=RecordKind.ABORTED) for number in range(64)])
    assert not disk.woken.is_set()


def test_a_batch_larger_than_a_half_is_refused_and_harms_nothing(journal: Journal) -> None:
    journal.append([record(1)])
    with pytest.raises(ValueError, match="half"):
        journal.append([record(2, journal.largest_payload()), record(3, journal.largest_payload())])
    assert read(journal.path.read_bytes()) == expected(record(1))


def test_how_many_fit_is_what_one_append_takes(journal: Journal) -> None:
    sizes = [100_000] * 20
    fit = journal.how_many_fit(sizes)
    assert 0 < fit < 20
    journal.append([record(number, 100_000) for number in range(fit)])
    assert len(read(journal.path.read_bytes())) == fit
    with pytest.raises(ValueError, match="half"):
        journal.append([record(number, 100_000) for number in range(fit + 1)])
    assert journal.how_many_fit([100]) == 1
    assert journal.how_many_fit([]) == 0


def test_a_closed_journal_is_gone(tmp_path: Path, disk: Disk) -> None:
    journal = Journal(tmp_path / "one.journal", MIB, disk.sync, disk.woken.set, disk.write_again)
    journal.append([record(1)])
    journal.close()
    assert disk.syncs == 1
    assert not journal.path.exists()


def test_a_journal_whose_sync_fails_at_the_end_stays_to_be_replayed(tmp_path: Path, disk: Disk) -> None:
    journal = Journal(tmp_path / "one.journal", MIB, disk.sync, disk.woken.set, disk.write_again)
    journal.append([record(1)])
    disk.error = OSError(errno.EIO, "the disk")
    journal.close()
    assert read(journal.path.read_bytes()) == expected(record(1))


def test_a_journal_is_locked_while_it_is_open(journal: Journal) -> None:
    with journal.path.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_journal_is_made_while_somebody_looks_through_them(tmp_path: Path, disk: Disk) -> None:
    made: list[Journal] = []
    with journals_lock(tmp_path):
        maker = threading.Thread(
            target=lambda: made.append(
                Journal(tmp_path / "one.journal", MIB, disk.sync, disk.woken.set, disk.write_again)
            )
        )
        maker.start()
        maker.join(0.2)
        assert not (tmp_path / "one.journal").exists()
    maker.join()
    made[0].close()


def test_no_room_for_the_journal_is_said_and_leaves_nothing(tmp_path: Path, disk: Disk) -> None:
    """A limit on the size of files stands for the full disk here; tests/faults has a real one."""
    script = (
        "import errno, os, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from radfuse.archive.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "before = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))\n"
        "try:\n"
        "    Journal(Path(sys.argv[1]), 1 << 20, print, print, print)\n"
        "except OSError as error:\n"
        "    print(errno.errorcode[error.errno], os.path.exists(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, before)  # what measures coverage writes at the end\n"
    )
    from tests.archive.objects import python

    with python("-c", script, str(tmp_path / "one.journal")) as process:
        output, _ = process.communicate(timeout=60)
    assert output.split() == ["EFBIG", "False"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)  # ours is untouched
    assert os.listdir(tmp_path) == ["lock"]
