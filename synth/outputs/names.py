"""Names of files that any text may become: safe in a path, and different for different texts."""

from hashlib import sha256

LONGEST = 200
"""Bytes; file systems take 255, and a suffix follows."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


def file_name(text: str) -> str:
    """Return the text as one part of a path; different texts give different names.

    >>> file_name("web"), file_name("../X")
    ('web', '%2e%2e%2f%58')
    """
    plain = not text.startswith((".", "-"))
    quoted = "".join(
        sign if sign in _PLAIN and (plain or sign not in ".-") else _percent(sign) for sign in text
    )
    if len(quoted) <= LONGEST:
        return quoted or "%"
    return f"{quoted[: LONGEST - 17]}%{sha256(text.encode()).hexdigest()[:16]}"


def _percent(sign: str) -> str:
    return "".join(f"%{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))
