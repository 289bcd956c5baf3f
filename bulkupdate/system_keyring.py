"""The password of a login in the system keyring."""

from __future__ import annotations

from types import ModuleType

from bulkupdate.errors import UsageError

_ELSEWHERE = "or set BULKUPDATE_PASSWORD_FILE."


def has_keyring() -> bool:
    """Return whether the library is installed and has found a usable keyring."""
    try:
        return bool(_load().get_keyring().priority > 0)
    except UsageError:
        return False


def read_keyring_password(address: str, username: str) -> str:
    """Return the password that `setup` stored for this login at this address.

    Raises `UsageError` if there is none, or the keyring cannot be read.
    """
    library = _load()
    try:
        password = library.get_password(_name(address), username)
    except Exception as error:  # noqa: BLE001 - each keyring has its own errors, whose text is not shown
        raise _unusable_error("read", error) from None
    if not password:
        raise UsageError(
            f"The keyring of this system holds no password for {username!r} at {address!r}.",
            remedy=f"Store it with `bulkupdate setup`, {_ELSEWHERE}",
        )
    return str(password)


def store_keyring_password(address: str, username: str, password: str) -> None:
    """Store the password of a login. Raises `UsageError` if the keyring refuses it."""
    library = _load()
    try:
        library.set_password(_name(address), username, password)
    except Exception as error:  # noqa: BLE001 - as above
        raise _unusable_error("written", error) from None


def _name(address: str) -> str:
    """Return the name of an entry: with the address, so that no password is sent to another service."""
    return f"bulkupdate {address}"


def _load() -> ModuleType:
    try:
        import keyring  # not at the top: optional, and it takes a tenth of a second
    except ImportError:
        raise UsageError(
            "The setting password_keyring is on, but the library `keyring` is not installed.",
            remedy=f"Install it with `pip install keyring`, {_ELSEWHERE}",
        ) from None
    return keyring


def _unusable_error(what: str, error: Exception) -> UsageError:
    return UsageError(
        f"The keyring of this system cannot be {what} ({type(error).__name__}): it is locked, or there is none.",
        remedy=f"Unlock it and run the command again, {_ELSEWHERE}",
    )
