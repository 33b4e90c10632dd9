"""The Services that containers name in their environment, arguments and commands.

| text | names |
|---|---|
| ``api.shop``, ``api.shop.svc``, ``api.shop.svc.cluster.local`` | ``shop/api`` |
| ``http://api:5000/x``, ``mysql://u:p@db/d`` | the Service of the container's own namespace |
| ``api:5000`` | the same |
| ``api`` as the whole value of an environment variable | the same |
| ``api`` anywhere else | nothing: a word is no address |
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from synth.inventory.pods import Words

_HOST = re.compile(r"[a-z0-9_][a-z0-9_.-]*")
_PORT = re.compile(r":[0-9]{1,5}(?![0-9@])")
_USER = re.compile(r"[^/?#@\s]*@")
_BEFORE: Final = " \t\r\n,;=@([{<>'\"|"
"""What may stand before a host that is no part of a longer word or path."""


def find_references(
    namespace: str, words: Words, services: Collection[tuple[str, str]]
) -> frozenset[str]:
    """Return the Services, as ``namespace/name``, that the words of a container name.

    ``services`` are the namespaces and names that exist; nothing else is ever named.
    """
    return frozenset(
        "/".join(service)
        for text, whole in words
        for service in _find_in_text(namespace, text.lower(), services, whole=whole)
        if service in services
    )


def _find_in_text(
    namespace: str, text: str, services: Collection[tuple[str, str]], *, whole: bool
) -> Iterable[tuple[str, str]]:
    if whole and (namespace, text.strip()) in services:
        yield namespace, text.strip()
    for match in _HOST.finditer(text):
        before = text[max(0, match.start() - 2) : match.start()]
        if before and before != "//" and before[-1] not in _BEFORE:
            continue
        in_url = before == "//" and not _USER.match(text, match.end())
        behind_user = before[-1:] == "@" and before[0] not in _BEFORE
        in_url = in_url or (behind_user and text[match.end() : match.end() + 1] != "(")
        host = match.group().rstrip(".").split(".")
        if len(host) == 2 or host[2:3] == ["svc"]:  # noqa: PLR2004 - name and namespace
            yield host[1], host[0]
        if len(host) == 1 and (in_url or _PORT.match(text, match.end())):
            yield namespace, host[0]
