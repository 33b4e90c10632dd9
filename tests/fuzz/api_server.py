"""What an API server refuses of a NetworkPolicy, written from the API's definition.

A second opinion on ``synth.dialects.kubernetes``, with which it shares no code: plain values in,
the paths of what is wrong out. Objects are taken as strictly decoded: an unknown field is refused.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Final

Paths = Iterator[str]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PART: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
WORD: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
METADATA: Final = frozenset(
    {
        *("name", "namespace", "labels", "annotations", "generateName", "selfLink", "uid"),
        *("resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"),
        *("deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields"),
    }
)
MOST_ANNOTATIONS: Final = 256 * 1024
INT32: Final = range(-(2**31), 2**31)


def refusals(document: object) -> list[str]:
    """Return the paths of the fields that an API server refuses, none if it accepts."""
    return list(_policy(document))


def _policy(document: object) -> Paths:
    top = {"apiVersion", "kind", "metadata", "spec", "status"}
    yield from _unknown(document, top, "")
    if not isinstance(document, dict):
        return
    if document.get("apiVersion") != "networking.k8s.io/v1":
        yield "apiVersion"
    if document.get("kind") != "NetworkPolicy":
        yield "kind"
    yield from _metadata(_filled(document.get("metadata")))
    yield from _spec(_filled(document.get("spec")))


def _metadata(metadata: object) -> Paths:
    yield from _unknown(metadata, METADATA, "metadata")
    if not isinstance(metadata, dict):
        return
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not _subdomain(name):
        yield "metadata.name"
    if namespace not in (None, "") and not (
        isinstance(namespace, str) and len(namespace) <= 63 and re.fullmatch(PART, namespace)
    ):
        yield "metadata.namespace"
    yield from _labels(metadata.get("labels"), "metadata.labels")
    yield from _annotations(metadata.get("annotations"))


def _annotations(annotations: object) -> Paths:
    if annotations is None:
        return
    if not isinstance(annotations, dict) or not _all_text(annotations):
        yield "metadata.annotations"
        return
    if any(not _qualified(key.lower()) for key in annotations):
        yield "metadata.annotations"
    size = sum(len(key.encode()) + len(text.encode()) for key, text in annotations.items())
    if size > MOST_ANNOTATIONS:
        yield "metadata.annotations"


def _spec(spec: object) -> Paths:
    yield from _unknown(spec, {"podSelector", "policyTypes", "ingress", "egress"}, "spec")
    if not isinstance(spec, dict):
        return
    yield from _selector(spec.get("podSelector"), "spec.podSelector")
    types = spec.get("policyTypes")
    listed = types if isinstance(types, list) else []
    wrong = any(one not in ("Ingress", "Egress") for one in listed)
    if (types is not None and types != listed) or len(listed) > 2 or wrong:
        yield "spec.policyTypes"
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        yield from _rules(spec.get(direction), peers, f"spec.{direction}")


def _rules(rules: object, peers: str, path: str) -> Paths:
    for place, rule in _elements(rules, path):
        if isinstance(rule, str):
            yield rule
            continue
        yield from _unknown(rule, {peers, "ports"}, place)
        if isinstance(rule, dict):
            for at, peer in _elements(rule.get(peers), f"{place}.{peers}"):
                yield from _peer(peer, at)
            for at, port in _elements(rule.get("ports"), f"{place}.ports"):
                yield from _port(port, at)


def _peer(peer: object, path: str) -> Paths:
    yield from _unknown(peer, {"podSelector", "namespaceSelector", "ipBlock"}, path)
    if not isinstance(peer, dict):
        return
    given = {key for key, value in peer.items() if value is not None}
    if not given or ("ipBlock" in given and len(given) > 1):
        yield path
    for key in ("podSelector", "namespaceSelector"):
        yield from _selector(peer.get(key), f"{path}.{key}")
    if "ipBlock" in given:
        yield from _block(peer["ipBlock"], f"{path}.ipBlock")


def _block(block: object, path: str) -> Paths:
    yield from _unknown(block, {"cidr", "except"}, path)
    if not isinstance(block, dict):
        return
    outer = _network(block.get("cidr"))
    if outer is None:
        yield f"{path}.cidr"
    for place, hole in _elements(block.get("except"), f"{path}.except"):
        inner = _network(hole)
        if inner is None or outer is None or not _is_hole(inner, outer):
            yield place


def _port(port: object, path: str) -> Paths:
    yield from _unknown(port, {"protocol", "port", "endPort"}, path)
    if not isinstance(port, dict):
        return
    if port.get("protocol") not in (None, "TCP", "UDP", "SCTP"):
        yield f"{path}.protocol"
    first, last = port.get("port"), port.get("endPort")
    if first is not None and not (_number(first) or _port_name(first)):
        yield f"{path}.port"
    if last is not None and not (_number(last) and _number(first) and last >= first):
        yield f"{path}.endPort"


def _selector(selector: object, path: str) -> Paths:
    if selector is None:
        return
    yield from _unknown(selector, {"matchLabels", "matchExpressions"}, path)
    if not isinstance(selector, dict):
        return
    yield from _labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for place, term in _elements(selector.get("matchExpressions"), f"{path}.matchExpressions"):
        yield from _term(term, place)


def _term(term: object, path: str) -> Paths:
    yield from _unknown(term, {"key", "operator", "values"}, path)
    if not isinstance(term, dict):
        return
    if not isinstance(term.get("key"), str) or not _qualified(term["key"]):
        yield f"{path}.key"
    operator, values = term.get("operator"), term.get("values")
    if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        yield f"{path}.operator"
    if values is not None and not isinstance(values, list):
        yield f"{path}.values"
        return
    if any(not isinstance(value, str) or not _value(value) for value in values or ()):
        yield f"{path}.values"
    if operator in ("In", "NotIn") and not values:
        yield f"{path}.values"
    if operator in ("Exists", "DoesNotExist") and values:
        yield f"{path}.values"


def _labels(labels: object, path: str) -> Paths:
    if labels is None:
        return
    pairs = labels.items() if isinstance(labels, dict) and _all_text(labels) else [("", "")]
    if any(not _qualified(key) or not _value(value) for key, value in pairs):
        yield path


def _unknown(value: object, known: set[str] | frozenset[str], path: str) -> Paths:
    if not isinstance(value, dict) or any(key not in known for key in value):
        yield path


def _elements(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Return an iterator over path and element; of what is no list, over its own fault."""
    if value is not None and not isinstance(value, list):
        yield path, path
        return
    for index, element in enumerate(value or ()):
        yield f"{path}[{index}]", element


def _filled(value: object) -> object:
    return {} if value is None else value


def _all_text(mapping: Mapping[object, object]) -> bool:
    return all(isinstance(one, str) for pair in mapping.items() for one in pair)


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def _port_name(value: object) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= 15 or "--" in value:
        return False
    plain = re.fullmatch(r"[a-z0-9-]+", value) and re.search("[a-z]", value)
    return bool(plain) and not value.startswith("-") and not value.endswith("-")


def _subdomain(text: str) -> bool:
    return len(text) <= 253 and bool(re.fullmatch(rf"{PART}(?:\.{PART})*", text))


def _qualified(text: str) -> bool:
    *prefix, name = text.split("/")
    if len(prefix) > 1 or (prefix and not _subdomain(prefix[0])):
        return False
    return len(name) <= 63 and bool(re.fullmatch(WORD, name))


def _value(text: str) -> bool:
    return not text or (len(text) <= 63 and bool(re.fullmatch(WORD, text)))


def _is_hole(inner: Network, outer: Network) -> bool:
    same = inner.version == outer.version
    return same and inner.prefixlen > outer.prefixlen and inner.network_address in outer


def _network(value: object) -> Network | None:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Fa-f:.]+/[0-9]+", value):
        return None
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
