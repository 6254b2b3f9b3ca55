"""Jobs are checked at birth."""

from __future__ import annotations

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.jobs import NewJob, Retry


def test_the_delay_doubles_with_every_try_and_stays_below_an_hour() -> None:
    retry = Retry(20, 60.0)
    assert [retry.delay_after_s(tries) for tries in (1, 2, 3, 6, 7, 2000)] == [60, 120, 240, 1920, 3600, 3600]
    assert Retry(1, 0.0).delay_after_s(5) == 0


@pytest.mark.parametrize(("count", "delay_s", "key"), [(-1, 60.0, "retries"), (1, -1.0, "retry_delay_s"),
                                                       (1, 3601.0, "retry_delay_s"),
                                                       (1, float("nan"), "retry_delay_s")])  # fmt: skip
def test_an_impossible_retry_is_refused_with_its_key(count: int, delay_s: float, key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Retry(count, delay_s)
    assert refused.value.setting == key


@pytest.mark.parametrize(("words", "priority", "key"), [(("", "l", "t"), 5, "kind"), (("k", "", "t"), 5, "lane"),
                                                        (("k", "l", ""), 5, "title"), (("k", "l", "t"), 0, "priority"),
                                                        (("k", "l", "t"), 10, "priority")])  # fmt: skip
def test_an_impossible_job_is_refused_with_its_key(words: tuple[str, str, str], priority: int, key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        NewJob(*words, priority=priority)
    assert refused.value.setting == key
