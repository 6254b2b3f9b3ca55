"""Users, their passwords, sessions and tokens: who somebody is, and what their role is."""

from radfuse.services.users.accounts import Accounts
from radfuse.services.users.credentials import Credentials, Known
from radfuse.services.users.login import Login
from radfuse.services.users.passwords import Passwords, checked_password
from radfuse.services.users.sessions import Sessions
from radfuse.services.users.tokens import TOKEN_PREFIX, Token, Tokens
from radfuse.services.users.users import Changes, NewUser, User, Users, checked_name

__all__ = [
    "TOKEN_PREFIX",
    "Accounts",
    "Changes",
    "Credentials",
    "Known",
    "Login",
    "NewUser",
    "Passwords",
    "Sessions",
    "Token",
    "Tokens",
    "User",
    "Users",
    "checked_name",
    "checked_password",
]
