"""Random and damaged objects never raise anything but InputError."""

from copy import deepcopy
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.dialects.kubernetes import parse_policies, read_policies, to_document, to_yaml
from synth.errors import InputError
from synth.policy import Policy
from tests.dialects.kubernetes.objects import network_policy
from tests.policy.strategies import policies

KEYS = (
    *("apiVersion", "kind", "metadata", "spec", "items", "name", "namespace", "labels"),
    *("podSelector", "policyTypes", "ingress", "egress", "from", "to", "ports", "port", "endPort"),
    *("protocol", "namespaceSelector", "matchLabels", "matchExpressions", "key", "operator"),
    *("values", "ipBlock", "cidr", "except"),
)
TEXTS = (
    *("List", "NetworkPolicy", "networking.k8s.io/v1", "Ingress", "Egress", "In", "Exists"),
    *("TCP", "10.0.0.0/8", "::/0", "http", "80"),
)
WORDS = st.sampled_from(KEYS) | st.sampled_from(TEXTS)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS
JUNK = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            WORDS | st.text(max_size=3) | st.integers() | st.none(), inner, max_size=4
        )
    ),
    max_leaves=12,
)
BRIEF = settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))


def accepted(*documents: object) -> bool:
    """Return whether the documents are accepted or, wrongly, refused without naming the file.

    What is accepted is written and read again. Anything but an InputError passes through.
    """
    try:
        found = parse_policies(documents, "file.yaml")
    except InputError as error:
        return not all(fault.place.startswith("file.yaml: ") for fault in error.faults)
    for policy in found.policies:
        again = parse_policies([to_document(policy)], "file.yaml").policies
        assert again.policies == (policy,)
    return True


def damaged(document: object, junk: object, seed: int) -> object:
    """Return the document with one value somewhere replaced by junk, removed or added to."""
    random, whole = Random(seed), [deepcopy(document)]  # noqa: S311 - a test's choices
    holder: list[object] | dict[object, object] = whole
    where: object = 0
    while True:
        inner = holder[where]  # type: ignore[call-overload]
        if not isinstance(inner, dict | list) or not inner or random.random() < 0.15:
            break
        holder = inner
        where = random.choice(
            sorted(inner, key=str) if isinstance(inner, dict) else range(len(inner))
        )
    if isinstance(holder, dict) and random.random() < 0.3:
        holder[f"{where}x"] = holder.pop(where)
    else:
        holder[where] = junk  # type: ignore[call-overload]
    return whole[0]


@BRIEF
@given(st.lists(JUNK, max_size=3))
def test_random_objects(documents: list[object]) -> None:
    assert accepted(*documents) in (True, False)


@BRIEF
@given(JUNK, JUNK)
def test_random_specs_and_metadata(spec: object, metadata: object) -> None:
    assert accepted(network_policy(spec)) in (True, False)
    assert accepted({**network_policy(), "metadata": metadata}) in (True, False)


@BRIEF
@given(policies(), JUNK, st.integers(0, 2**32))
def test_damaged_policies(policy: Policy, junk: object, seed: int) -> None:
    document = damaged(to_document(policy), junk, seed)
    assert accepted(document) in (True, False)


@BRIEF
@given(policies(), st.binary(max_size=3), st.integers(0, 400), st.integers(0, 3))
def test_damaged_files(policy: Policy, junk: bytes, start: int, length: int) -> None:
    text = to_yaml(policy).encode()
    start = start % (len(text) + 1)
    assert readable(text[:start] + junk + text[start + length :]) in (True, False)


@BRIEF
@given(st.binary(max_size=60) | st.text("[]{}:,&*a!|>-?'\"# \n\t%0", max_size=40).map(str.encode))
def test_random_files(content: bytes) -> None:
    assert readable(content) in (True, False)


def readable(content: bytes) -> bool:
    """Return whether the file is accepted or, wrongly, refused without being named."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_bytes(content)
        try:
            read_policies([path])
        except InputError as error:
            return not all(fault.place.startswith(str(path)) for fault in error.faults)
    return True
