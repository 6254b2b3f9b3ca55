"""Users, passwords, sessions and tokens: what they may be, and when they end."""

from __future__ import annotations

import contextlib
import stat
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from radfuse.core.errors import (
    ConfigurationError,
    LastAdministrator,
    RadfuseError,
    TooManyAttempts,
    UnknownToken,
    UnknownUser,
    UserExists,
    WrongPassword,
)
from radfuse.services.roles import Role
from radfuse.services.users import (
    TOKEN_PREFIX,
    Accounts,
    Changes,
    Credentials,
    NewUser,
    Passwords,
    checked_name,
    checked_password,
)
from radfuse.services.users import credentials as credentials_module
from radfuse.services.users.throttle import Throttle

PASSWORD = "correct horse battery"  # noqa: S105
HERE = "192.0.2.1"
ELSEWHERE = "198.51.100.7"


def quick() -> Passwords:
    """Passwords that cost next to nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    """Accounts of an administrator, anna, and of a reader, ben."""
    with contextlib.closing(Accounts.open(tmp_path, passwords=quick())) as opened:
        opened.users.add(NewUser("anna", Role.ADMINISTRATOR, PASSWORD, "Anna Berg"))
        opened.users.add(NewUser("ben", Role.READER, PASSWORD))
        yield opened


def token_of(accounts: Accounts, user: str = "anna", role: Role = Role.READER, days: float | None = None) -> str:
    return accounts.tokens.add(user, "viewer", role, days)[1]


# --- names and passwords -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "ä", "-a", "a" * 65, "a\r\nSet-Cookie: x=y", "<b>", "a/b", "a:b"])
def test_names_that_could_be_anything_else_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no user's name"):
        checked_name(name)


def test_names_do_not_depend_on_case(accounts: Accounts) -> None:
    assert checked_name(" Anna.Berg@pacs ") == "anna.berg@pacs"
    assert accounts.users.get("ANNA").full_name == "Anna Berg"
    with pytest.raises(UserExists):
        accounts.users.add(NewUser("Anna", Role.READER, PASSWORD))


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "too short"),
        ("x" * 10, "one character"),
        ("Annalisa.Berg", "user's name"),
        ("x y" * 100, "too long"),
    ],
)
def test_weak_passwords_are_refused_without_rules_about_characters(password: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        checked_password(password, "annalisa.berg")
    assert checked_password("all small letters", "anna") == "all small letters"


def test_a_password_is_the_same_however_the_keyboard_writes_it(accounts: Accounts) -> None:
    accounts.users.change("ben", Changes(password="Schlu\u0308sselbund"))  # noqa: S106
    assert accounts.login.log_in("ben", "Schl\u00fcsselbund", HERE).user == "ben"


def test_what_is_kept_is_argon2id_of_the_low_memory_profile_of_rfc_9106() -> None:
    kept = Passwords().hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().verify(kept, PASSWORD).is_right
    assert not Passwords().verify(kept, PASSWORD + "!").is_right
    assert not Passwords().verify(None, PASSWORD).is_right
    assert not Passwords().verify("nonsense", PASSWORD).is_right


def test_a_hash_of_older_parameters_is_renewed_when_it_is_used(tmp_path: Path) -> None:
    older = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    with contextlib.closing(Accounts.open(tmp_path, passwords=older)) as accounts:
        accounts.users.add(NewUser("anna", Role.ADMINISTRATOR, PASSWORD))
        before = accounts.users.password_of("anna")
    with contextlib.closing(Accounts.open(tmp_path, passwords=quick())) as accounts:
        accounts.login.log_in("anna", PASSWORD, HERE)
        after = accounts.users.password_of("anna")
        assert before != after
        assert after is not None
        assert "t=1" in after
        assert accounts.login.log_in("anna", PASSWORD, HERE).user == "anna"


def test_no_password_token_or_session_is_kept_as_it_is(accounts: Accounts, tmp_path: Path) -> None:
    secrets = [PASSWORD, token_of(accounts), accounts.login.log_in("anna", PASSWORD, HERE).secret]
    content = b"".join(path.read_bytes() for path in tmp_path.glob("config.sqlite*"))
    assert b"anna" in content
    for secret in secrets:
        assert secret.encode() not in content


def test_the_database_is_its_owners_alone(accounts: Accounts, tmp_path: Path) -> None:
    for path in tmp_path.glob("config.sqlite*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


# --- the last administrator ---------------------------------------------------------------------------


def test_the_first_user_must_be_an_administrator(tmp_path: Path) -> None:
    with contextlib.closing(Accounts.open(tmp_path, passwords=quick())) as accounts:
        with pytest.raises(ConfigurationError) as refused:
            accounts.users.add(NewUser("ben", Role.OPERATOR, PASSWORD))
        assert refused.value.setting == "role"
        assert accounts.users.is_empty()


@pytest.mark.parametrize(
    "work",
    [
        lambda accounts: accounts.users.remove("anna"),
        lambda accounts: accounts.users.change("anna", Changes(role=Role.OPERATOR)),
        lambda accounts: accounts.users.change("anna", Changes(is_enabled=False)),
    ],
    ids=["removed", "demoted", "disabled"],
)
def test_the_last_administrator_stays(accounts: Accounts, work: Callable[[Accounts], object]) -> None:
    with pytest.raises(LastAdministrator):
        work(accounts)
    assert accounts.users.get("anna").is_enabled
    accounts.users.change("ben", Changes(role=Role.ADMINISTRATOR))
    work(accounts)


def test_of_two_administrators_who_remove_each_other_one_stays(accounts: Accounts) -> None:
    accounts.users.change("ben", Changes(role=Role.ADMINISTRATOR))
    for _ in range(20):
        barrier = threading.Barrier(2)

        def remove(name: str, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            with contextlib.suppress(LastAdministrator):
                accounts.users.remove(name)
                return True
            return False

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(remove, ("anna", "ben"))) == [False, True]
        (left,) = accounts.users.all()
        gone = "ben" if left.name == "anna" else "anna"
        accounts.users.add(NewUser(gone, Role.ADMINISTRATOR, PASSWORD))


def test_users_that_are_not_there_cannot_be_changed(accounts: Accounts) -> None:
    with pytest.raises(UnknownUser):
        accounts.users.remove("carl")
    with pytest.raises(UnknownUser):
        accounts.users.change("carl", Changes(full_name="Carl"))
    with pytest.raises(ConfigurationError, match="full_name"):
        accounts.users.change("anna", Changes(full_name="a\x00b"))


# --- sessions ------------------------------------------------------------------------------------------


def test_a_session_says_who_one_is(accounts: Accounts) -> None:
    started = accounts.login.log_in("Anna", PASSWORD, HERE)
    known = accounts.credentials.of(started.secret)
    assert known is not None
    assert (known.user, known.full_name, known.role, known.is_session) == (
        "anna",
        "Anna Berg",
        Role.ADMINISTRATOR,
        True,
    )
    assert accounts.users.get("anna").last_login_s is not None
    assert accounts.credentials.of("nonsense") is None


def test_sessions_survive_a_restart(accounts: Accounts, tmp_path: Path) -> None:
    secret = accounts.login.log_in("anna", PASSWORD, HERE).secret
    with contextlib.closing(Accounts.open(tmp_path, passwords=quick())) as again:
        assert again.credentials.of(secret) is not None


@pytest.mark.parametrize(
    "change",
    [Changes(password="another password"), Changes(role=Role.OPERATOR), Changes(is_enabled=False)],  # noqa: S106
    ids=["password", "role", "disabled"],
)
def test_sessions_end_with_a_change_of_the_user(accounts: Accounts, change: Changes) -> None:
    secret = accounts.login.log_in("ben", PASSWORD, HERE).secret
    assert accounts.credentials.of(secret) is not None
    accounts.users.change("ben", Changes(full_name="Ben"))
    accounts.credentials.forget()
    assert accounts.credentials.of(secret) is not None
    accounts.users.change("ben", change)
    accounts.credentials.forget()
    assert accounts.credentials.of(secret) is None


def test_sessions_and_tokens_end_with_the_user(accounts: Accounts) -> None:
    secrets = [accounts.login.log_in("ben", PASSWORD, HERE).secret, token_of(accounts, "ben")]
    assert all(map(accounts.credentials.of, secrets))
    accounts.users.remove("ben")
    accounts.users.add(NewUser("ben", Role.ADMINISTRATOR, PASSWORD))
    accounts.credentials.forget()
    assert not any(map(accounts.credentials.of, secrets))


def test_a_session_ends_when_it_is_ended(accounts: Accounts) -> None:
    secret = accounts.login.log_in("ben", PASSWORD, HERE).secret
    accounts.sessions.end(secret)
    accounts.sessions.end("of nobody")
    accounts.credentials.forget()
    assert accounts.credentials.of(secret) is None


def test_a_session_ends_after_its_lifetime_and_when_nothing_is_done(accounts: Accounts) -> None:
    known = accounts.credentials.of(accounts.login.log_in("ben", PASSWORD, HERE).secret)
    assert known is not None
    assert known.ends_s is not None
    assert not known.is_over(known.used_s + 3599, 3600)
    assert known.is_over(known.used_s + 3600, 3600)
    known.used_s = known.ends_s
    assert known.is_over(known.ends_s, 3600)


def test_what_a_page_asks_by_itself_does_not_keep_a_session(accounts: Accounts) -> None:
    secret = accounts.login.log_in("ben", PASSWORD, HERE).secret
    known = accounts.credentials.of(secret)
    assert known is not None
    known.used_s = used_s = known.used_s - 3000
    assert accounts.credentials.of(secret, is_active=False) is known
    assert known.used_s == used_s
    accounts.credentials.of(secret)
    assert known.used_s > used_s


def test_sessions_that_are_over_are_cleared_away(tmp_path: Path) -> None:
    with contextlib.closing(Accounts.open(tmp_path, lifetime_s=0, passwords=quick())) as accounts:
        accounts.users.add(NewUser("anna", Role.ADMINISTRATOR, PASSWORD))
        for _ in range(5):
            assert accounts.credentials.of(accounts.login.log_in("anna", PASSWORD, HERE).secret) is None
        with accounts._engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM web_session")) == 1


# --- tokens --------------------------------------------------------------------------------------------


def test_a_token_is_of_its_user_and_role(accounts: Accounts) -> None:
    secret = token_of(accounts, "anna", Role.OPERATOR)
    assert secret.startswith(TOKEN_PREFIX)
    assert len(secret) == len(TOKEN_PREFIX) + 43
    known = accounts.credentials.of(secret)
    assert known is not None
    assert (known.user, known.role, known.is_session) == ("anna", Role.OPERATOR, False)
    (token,) = accounts.tokens.all("anna")
    assert token.last_used_s is not None
    assert accounts.tokens.all("ben") == []


def test_a_token_is_never_more_than_its_user(accounts: Accounts) -> None:
    with pytest.raises(ConfigurationError) as refused:
        token_of(accounts, "ben", Role.OPERATOR)
    assert refused.value.setting == "role"
    accounts.users.change("ben", Changes(role=Role.OPERATOR))
    secret = token_of(accounts, "ben", Role.OPERATOR)
    accounts.users.change("ben", Changes(role=Role.READER))
    known = accounts.credentials.of(secret)
    assert known is not None
    assert known.role is Role.READER
    assert [token.role for token in accounts.tokens.all("ben")] == [Role.READER]


def test_a_token_ends_in_time(accounts: Accounts) -> None:
    secret = token_of(accounts, days=1)
    known = accounts.credentials.of(secret)
    assert known is not None
    assert known.ends_s is not None
    assert not known.is_over(known.ends_s - 1, 3600)
    assert known.is_over(known.ends_s, 3600)
    for days in (0, -1, 1e9, float("nan")):
        with pytest.raises(ConfigurationError):
            token_of(accounts, days=days)


def test_tokens_are_removed_by_their_owner_only(accounts: Accounts) -> None:
    secret = token_of(accounts, "anna")
    (token,) = accounts.tokens.all()
    with pytest.raises(UnknownToken):
        accounts.tokens.remove(token.id, "ben")
    assert accounts.tokens.remove(token.id, "anna") == token
    accounts.credentials.forget()
    assert accounts.credentials.of(secret) is None


def test_a_user_has_so_many_tokens_and_no_more(accounts: Accounts) -> None:
    for _ in range(100):
        token_of(accounts)
    with pytest.raises(ConfigurationError, match="100 tokens"):
        token_of(accounts)
    with pytest.raises(ConfigurationError, match="name"):
        accounts.tokens.add("anna", "a\nb", Role.READER)
    with pytest.raises(UnknownUser):
        token_of(accounts, "carl")


# --- what is remembered --------------------------------------------------------------------------------


def test_a_change_by_another_process_is_seen(
    accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials_module, "_LOOKED_EVERY_S", 0.0)
    secret = accounts.login.log_in("ben", PASSWORD, HERE).secret
    assert accounts.credentials.of(secret) is not None
    assert accounts.credentials.at_hand(secret) is accounts.credentials.of(secret)
    assert accounts.credentials.at_hand("nonsense") is None
    with contextlib.closing(Accounts.open(tmp_path, passwords=quick())) as other:
        other.users.change("ben", Changes(is_enabled=False))
    assert accounts.credentials.of(secret) is None


def test_the_first_user_is_seen_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials_module, "_LOOKED_EVERY_S", 0.0)
    with contextlib.closing(Accounts.open(tmp_path, passwords=quick())) as accounts:
        assert not accounts.credentials.has_users()
        with contextlib.closing(Accounts.open(tmp_path, passwords=quick())) as other:
            other.users.add(NewUser("anna", Role.ADMINISTRATOR, PASSWORD))
        assert accounts.credentials.has_users()


def test_who_one_is_is_known_where_nothing_can_be_written(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sqlalchemy.exc import OperationalError

    secret = token_of(accounts)

    def full(_engine: object) -> object:
        raise OperationalError("", {}, OSError("disk is full"))

    monkeypatch.setattr(credentials_module, "write_transaction", full)
    assert accounts.credentials.of(secret) is not None
    assert "could not be noted" in caplog.text


def test_guessed_secrets_fill_no_memory(accounts: Accounts) -> None:
    for number in range(1500):
        assert accounts.credentials.of(f"{TOKEN_PREFIX}{number}") is None
    assert len(accounts.credentials._known) <= 1000


def test_credentials_close_without_the_engine(accounts: Accounts) -> None:
    Credentials(accounts._engine, accounts.sessions).close()


# --- wrong passwords -----------------------------------------------------------------------------------


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fails(throttle: Throttle, name: str, address: str, times: int = 1) -> float:
    """Wrong attempts; gives what the last had to wait."""
    return [throttle.begin(name, address) for _ in range(times)][-1]


def test_after_five_wrong_passwords_a_name_is_locked_longer_and_longer(clock: Clock) -> None:
    throttle = Throttle(clock)
    assert fails(throttle, "anna", HERE, 5) == 0
    waits = []
    for _ in range(10):
        waits.append(throttle.begin("anna", ELSEWHERE))
        clock.now_s += waits[-1]
        assert throttle.begin("anna", ELSEWHERE) == 0
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert throttle.locked_until_s("anna") == clock.now_s + 900
    assert throttle.begin("ben", HERE) == 0


def test_the_delay_of_the_answer_grows(clock: Clock) -> None:
    throttle = Throttle(clock)
    delays = []
    for _ in range(5):
        throttle.begin("anna", HERE)
        delays.append(throttle.delay_s("anna", HERE))
    assert delays == [0.25, 0.5, 1, 2, 2]


def test_an_address_that_tries_many_names_is_locked(clock: Clock) -> None:
    throttle = Throttle(clock)
    assert all(throttle.begin(f"user{number}", HERE) == 0 for number in range(20))
    assert throttle.begin("anna", HERE) > 0
    assert throttle.begin("anna", ELSEWHERE) == 0


def test_the_right_password_starts_anew(clock: Clock) -> None:
    throttle = Throttle(clock)
    fails(throttle, "anna", HERE, 4)
    throttle.succeeded("anna", HERE)
    assert fails(throttle, "anna", HERE, 5) == 0


def test_others_cannot_lock_a_user_out_where_the_user_has_been(clock: Clock) -> None:
    throttle = Throttle(clock)
    throttle.begin("anna", HERE)
    throttle.succeeded("anna", HERE)
    assert fails(throttle, "anna", ELSEWHERE, 6) > 0
    assert throttle.begin("anna", HERE) == 0
    throttle.succeeded("anna", HERE)
    assert throttle.begin("anna", ELSEWHERE) > 0  # and what the user does is no help to them


def test_what_is_long_ago_is_forgotten(clock: Clock) -> None:
    throttle = Throttle(clock)
    fails(throttle, "anna", HERE, 4)
    clock.now_s += 1801
    assert fails(throttle, "anna", HERE, 5) == 0


def test_many_attempts_at_once_are_no_more_than_one_after_the_other(accounts: Accounts) -> None:
    def attempt(number: int) -> type[RadfuseError]:
        with pytest.raises(RadfuseError) as refused:
            accounts.login.log_in("anna", f"wrong {number}", HERE)
        return refused.type

    with ThreadPoolExecutor(16) as pool:
        kinds = list(pool.map(attempt, range(50)))
    assert kinds.count(WrongPassword) == 5
    assert kinds.count(TooManyAttempts) == 45


def test_ten_thousand_wrong_logins_do_not_grow_memory(accounts: Accounts) -> None:
    throttle = accounts.login.throttle
    tracemalloc.start()
    try:
        for number in range(14_000):
            if number == 11_000:
                before, _ = tracemalloc.get_traced_memory()
            throttle.begin(f"user {number} {'x' * 500}", f"2001:db8::{number:x}")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 200_000
    for number in range(25):
        with pytest.raises((WrongPassword, TooManyAttempts)):
            accounts.login.log_in(f"user{number}", "wrong password", HERE)


def test_an_unknown_name_is_refused_as_a_wrong_password_is(
    accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    sentences = set()
    for name in ("anna", "carl", "my secret typed in the wrong field", ""):
        with pytest.raises(WrongPassword) as refused:
            accounts.login.log_in(name, "wrong password", f"{HERE}{len(name)}")
        sentences.add(str(refused.value))
    assert sentences == {"name or password is wrong"}
    assert accounts.login.known_name("anna") == "anna"
    assert accounts.login.known_name("my secret typed in the wrong field") == "(unknown)"
    assert "secret" not in str([record.__dict__ for record in caplog.records])


def test_a_disabled_user_cannot_log_in(accounts: Accounts) -> None:
    accounts.users.change("ben", Changes(is_enabled=False))
    with pytest.raises(WrongPassword):
        accounts.login.log_in("ben", PASSWORD, HERE)


def test_a_password_is_changed_by_who_knows_it(accounts: Accounts) -> None:
    with pytest.raises(WrongPassword):
        accounts.login.change_password("ben", "wrong password", "a new password", HERE)
    with pytest.raises(ConfigurationError) as refused:
        accounts.login.change_password("ben", PASSWORD, "short", HERE)
    assert refused.value.setting == "new_password"
    accounts.login.change_password("ben", PASSWORD, "a new password", HERE)
    assert accounts.login.log_in("ben", "a new password", HERE).user == "ben"
