"""The job worker: one in a data folder, replaced when it dies, ended with its supervisor, small at rest."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from radfuse.app.kinds import Archives, Tools, job_kinds, open_tools
from radfuse.app.settings import load_settings
from radfuse.app.worker import Worker, is_worker_running, worker_here, worker_lock, worker_name
from radfuse.core.errors import WorkerRunning
from radfuse.jobs import Jobs, JobState
from radfuse.services.peers import Peer
from radfuse.services.send import file_object
from radfuse.services.send_job import submit_send
from tests.app.test_stop_signal import storm  # noqa: F401 - a fixture
from tests.fakes.sink import Sink
from tests.support.generate import GeneratedSet
from tests.support.servers import environment, processes_of, radfuse, running_node

WAIT_S = 60.0


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def running_worker(data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``radfuse worker`` alone; its standard error goes to a file beside the data folder."""
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "radfuse", "worker", "--data", str(data), *options]
    with (data.parent / "worker.stderr").open("w") as errors:
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


def ready_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def jobs(data: Path) -> Iterator[Jobs]:
    with contextlib.closing(Jobs(data)) as opened:
        yield opened


def submit(jobs: Jobs, generated_set: GeneratedSet, sink: Sink) -> int:
    return submit_send(jobs, Peer.parse(sink.peer), [file_object(path) for path in generated_set.files])


# --- one worker --------------------------------------------------------------------------------


def test_a_worker_alone_does_the_jobs_and_ends_by_sigterm(data: Path, jobs: Jobs, generated_set: GeneratedSet) -> None:
    with Sink() as sink, running_worker(data) as process:
        assert ready_line(process) == f"Radfuse's job worker is ready: jobs of {data}\n"
        job_id = submit(jobs, generated_set, sink)
        wait_until(lambda: jobs.get(job_id).state is JobState.DONE)
        assert len(sink.acknowledged) == len(generated_set.files)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0


def test_a_worker_that_is_stopped_gives_its_job_back_and_the_next_one_goes_on(
    data: Path, jobs: Jobs, generated_set: GeneratedSet
) -> None:
    with Sink(delay_s=0.5) as sink:
        job_id = submit(jobs, generated_set, sink)
        with running_worker(data) as process:
            wait_until(lambda: len(sink.acknowledged) >= 3)
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_S) == 0
        job = jobs.get(job_id)
        assert job.state is JobState.QUEUED
        assert 3 <= job.counts.sent < len(generated_set.files)
        sink.delay_s = 0.0
        with running_worker(data):
            wait_until(lambda: jobs.get(job_id).state is JobState.DONE)
        # Stopped in order: what was acknowledged was also recorded, nothing went twice.
        assert len(sink.acknowledged) == len(set(sink.acknowledged)) == len(generated_set.files)


def test_a_second_worker_on_the_folder_is_refused_with_a_sentence(data: Path) -> None:
    with running_worker(data, "--json") as process:
        assert '"Status": "ready"' in ready_line(process)
        second = radfuse("worker", "--data", str(data))
        assert second.returncode == 1
        assert second.stderr.splitlines()[-1] == (
            f"radfuse: a worker already runs the jobs of the data folder {data} ('radfuse serve' has one of its own)"
        )
        assert is_worker_running(load_settings(data))
    assert not is_worker_running(load_settings(data))


def test_whoever_looks_for_a_worker_does_not_keep_one_from_starting(data: Path) -> None:
    settings = load_settings(data)
    with worker_lock(data):
        pass
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            is_worker_running(settings)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(50):
            with worker_lock(data):
                pass
    finally:
        ended.set()
        thread.join()


def test_a_folder_has_one_worker_at_a_time(data: Path, jobs: Jobs) -> None:
    settings = load_settings(data)
    with worker_here(settings, jobs), pytest.raises(WorkerRunning), worker_here(settings, jobs):
        raise AssertionError("two workers")
    with worker_lock(data):
        pass


def test_what_ends_a_worker_in_this_process_is_told_to_whom_it_serves(
    data: Path, jobs: Jobs, generated_set: GeneratedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_tools: Tools) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("radfuse.app.worker.job_kinds", broken)
    with Sink() as sink:
        submit(jobs, generated_set, sink)
        with pytest.raises(RuntimeError, match="broken"), worker_here(load_settings(data), jobs) as raise_if_dead:
            deadline = time.monotonic() + WAIT_S
            while time.monotonic() < deadline:
                raise_if_dead()


def test_workers_of_several_machines_have_names_of_their_own(data: Path) -> None:
    alone = load_settings(data)
    assert worker_name(alone) == "worker"
    shared = alone.model_copy(update={"jobs_url": "postgresql+psycopg:///jobs"})
    assert str(data) in worker_name(shared)


@pytest.mark.timeout(60)
def test_stopping_the_worker_never_waits_for_itself(
    data: Path,
    jobs: Jobs,
    storm: Callable[[Callable[[], None]], None],  # noqa: F811
) -> None:
    worker = Worker(load_settings(data), jobs)
    storm(worker.stop)
    ends = time.monotonic() + 0.5
    while time.monotonic() < ends:
        worker.stop()
    worker.run()


def test_old_jobs_are_forgotten(data: Path, jobs: Jobs, generated_set: GeneratedSet) -> None:
    (data / "radfuse.toml").write_text("[jobs]\nkeep_days = 0.000001\n")
    with Sink() as sink:
        ended, queued = submit(jobs, generated_set, sink), submit(jobs, generated_set, sink)
    jobs.cancel(ended)
    jobs.pause(queued)
    time.sleep(0.1)
    with running_worker(data):
        wait_until(lambda: [job.id for job in jobs.list()] == [queued])


# --- what it works with --------------------------------------------------------------------------


def test_every_kind_of_job_is_in_the_table(data: Path, jobs: Jobs) -> None:
    with open_tools(load_settings(data), jobs) as tools:
        others = {"anonymize", "carry", "delete", "export", "export media", "followup", "import media", "register"}
        assert set(job_kinds(tools)) == {"send", "retrieve", "commit", "commit-report"} | others


def test_an_archive_is_opened_once_and_when_it_is_asked_for(data: Path) -> None:
    (data / "radfuse.toml").write_text('[databases]\nTWO = "second"\n')
    archives = Archives(load_settings(data))
    assert not (data / "databases").exists()
    with contextlib.closing(archives):
        assert archives.open("second") is archives.open("second")
        assert archives.open("default") is not archives.open("second")


# --- under the supervisor ------------------------------------------------------------------------


def test_the_service_has_a_worker_which_is_replaced_when_it_is_killed(
    data: Path, jobs: Jobs, generated_set: GeneratedSet
) -> None:
    with running_node(data) as node, Sink(delay_s=0.05) as sink:
        job_id = submit(jobs, generated_set, sink)
        wait_until(lambda: len(sink.acknowledged) >= 3)
        (worker,) = processes_of(node.process, "worker")
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: jobs.get(job_id).state is JobState.DONE)
        assert processes_of(node.process, "worker") != [worker]
        assert set(sink.acknowledged) == {item.name for item in jobs.items(job_id)}
    log = (data / "log" / "supervisor.jsonl").read_text()
    assert "a job worker ended unexpectedly; starting another" in log


def test_the_worker_ends_with_a_supervisor_that_is_killed(data: Path) -> None:
    command = [sys.executable, "-m", "radfuse", "serve", "--data", str(data), "--dicom-port", "0", "--workers", "1"]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as node:
        assert "ready" in ready_line(node)
        assert len(processes_of(node, "worker")) == 1
        node.kill()
    wait_until(lambda: not is_worker_running(load_settings(data)))


def test_the_service_starts_while_a_command_does_its_own_job_and_takes_over(
    data: Path, jobs: Jobs, generated_set: GeneratedSet
) -> None:
    held = contextlib.ExitStack()
    with Sink() as sink, held:
        held.enter_context(worker_lock(data))
        with running_node(data) as node:
            job_id = submit(jobs, generated_set, sink)
            assert len(processes_of(node.process, "worker")) == 1
            time.sleep(1.0)
            assert jobs.get(job_id).state is JobState.QUEUED
            held.close()
            wait_until(lambda: jobs.get(job_id).state is JobState.DONE)


def test_jobs_that_cannot_be_opened_end_the_service_with_a_sentence(data: Path) -> None:
    (data / "radfuse.toml").write_text('jobs_url = "nonsense://"\n')
    done = radfuse("serve", "--data", str(data), "--dicom-port", "0")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("radfuse: jobs_url: ")


def test_jobs_on_a_server_that_is_away_are_said_in_one_line(data: Path, free_port: int) -> None:
    pytest.importorskip("psycopg")
    (data / "radfuse.toml").write_text(f'jobs_url = "postgresql+psycopg://nobody@127.0.0.1:{free_port}/jobs"\n')
    done = radfuse("jobs", "list", "--data", str(data))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("radfuse: jobs_url: the database does not answer: ")


def test_a_node_and_a_worker_at_rest_are_small(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # measuring it needs memory, too
    heavy = {"node": ("numpy", "alembic", "imagecodecs"), "worker": ("numpy", "imagecodecs", "psycopg")}
    with running_node(data) as node:
        found = {command: processes_of(node.process, command) for command in heavy}
        maps = {command: Path(f"/proc/{process}/maps").read_text() for command, (process,) in found.items()}
        states = [Path(f"/proc/{process}/status").read_text() for (process,) in found.values()]
    assert [name for command, names in heavy.items() for name in names if f"/{name}" in maps[command]] == []
    assert max(int(state.split("VmRSS:")[1].split()[0]) << 10 for state in states) < 90 << 20
