"""Names that the API accepts, and a new policy's name.

| what | form | longest |
|---|---|---|
| policy, prefix of a key | lower-case letters, digits, ``-``, in parts joined by ``.`` | 253 |
| namespace | one such part | 63 |
| key of a label | name, or prefix ``/`` name; letters, digits, ``-_.`` | 63 |
| value of a label | empty, or letters, digits, ``-_.`` | 63 |
| port | lower-case letters, digits, single ``-``; a letter at least | 15 |

All but the empty value begin and end with a letter or digit.
"""

import re
import unicodedata
from collections.abc import Collection
from itertools import count

LONGEST_SUBDOMAIN = 253
LONGEST_LABEL = 63
LONGEST_PORT_NAME = 15

_PART = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = re.compile(_PART)
_SUBDOMAIN = re.compile(rf"{_PART}(\.{_PART})*")
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")


def is_subdomain(text: str) -> bool:
    """Return whether the text can name a policy."""
    return len(text) <= LONGEST_SUBDOMAIN and bool(_SUBDOMAIN.fullmatch(text))


def is_dns_label(text: str) -> bool:
    """Return whether the text can name a namespace."""
    return len(text) <= LONGEST_LABEL and bool(_DNS_LABEL.fullmatch(text))


def is_label_key(text: str) -> bool:
    """Return whether the text can be the key of a label."""
    prefix, slash, name = text.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= LONGEST_LABEL and bool(_NAME.fullmatch(name))


def is_label_value(text: str) -> bool:
    """Return whether the text can be the value of a label."""
    return not text or (len(text) <= LONGEST_LABEL and bool(_NAME.fullmatch(text)))


def is_port_name(text: str) -> bool:
    """Return whether the text can name a container port."""
    return len(text) <= LONGEST_PORT_NAME and bool(_PORT_NAME.fullmatch(text))


def policy_name(wanted: str, taken: Collection[str]) -> str:
    """Return a valid name like the one wanted and none of those taken.

    >>> policy_name("Web Front_End", {"web-front-end"})
    'web-front-end-2'
    """
    base = _as_subdomain(wanted)
    if base not in taken:
        return base
    names = (_shortened(base, f"-{number}") for number in count(2))
    return next(name for name in names if name not in taken)


def _as_subdomain(wanted: str) -> str:
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    parts = (part.strip("-") for part in re.sub(r"[^a-z0-9.-]+", "-", plain).split("."))
    return _shortened(".".join(part for part in parts if part) or "policy")


def _shortened(base: str, suffix: str = "") -> str:
    return base[: LONGEST_SUBDOMAIN - len(suffix)].rstrip("-.") + suffix
