"""Coverage-guided fuzzing of the policy reader: ``python -m tests.fuzz.policy_reader``.

Every input is read twice, as the bytes of a file and as choices that build a NetworkPolicy of
good, doubtful and bad parts. Whatever happens must be policies or an InputError, never another
exception; and what an API server refuses, as ``tests.fuzz.api_server`` sees it, must be refused,
and the other way round but for what the reader is stricter about on purpose. Arguments are
libFuzzer's; ``-max_total_time=60`` ends after a minute.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

from tests.fuzz.api_server import refusals

with atheris.instrument_imports(include=["synth.dialects", "synth.policy"]):
    from synth.dialects.kubernetes import parse_policies, read_policies, to_document
    from synth.dialects.kubernetes.yaml_values import YamlError, yaml_documents
    from synth.errors import InputError

Make = Callable[["Choices"], object]


@dataclass(frozen=True, slots=True)
class Pool:
    """Values that an API server takes in some place, and values that it may refuse there."""

    good: tuple[object, ...]
    doubtful: tuple[object, ...]


NAMES = Pool(("db", "a.b-c", "x" * 253), ("", "Web", "-x", "x" * 254, "a..b", 7, None))
SPACES = Pool(("shop", "default", None), ("", "a.b", "x" * 64, "Shop", 3))
KEYS = Pool(
    ("app", "app.kubernetes.io/name", "A_b.c", "k" * 63),
    ("a/b/c", "/x", "x/", "", "-a", "k" * 64, "É"),
)
VALUES = Pool(("web", "", "1.0", "v" * 63), ("a b", "-", "v" * 64, 1, None, True, []))
CIDRS = Pool(
    ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/8", "0.0.0.0/0", "::/0", "fd00::/8", "fd00:1::/32"),
    (
        *("10.0.0.0/33", "10.0.0.0", "10.0.0.0/-1", "::ffff:10.0.0.0/104", "a/8", "", None, 10),
        *("10.0.0.0/8/8", " 10.0.0.0/8", "fe80::1%eth0/64", "fd00::1/129", "192.168.0.0/16"),
    ),
)
HOLES = Pool(("10.1.0.0/16", "10.1.2.3/32", "fd00:1::/32"), (*CIDRS.good, *CIDRS.doubtful))
PORTS = Pool(
    (80, 1, 65535, "http", "a" * 15),
    (0, 65536, -1, "80", "a--b", "-a", "x" * 16, "A", 1.5, True, None),
)
LAST_PORTS = Pool((None,), (79, 80, 81, 65535, 65536, "http", True))
PROTOCOLS = Pool(("TCP", "UDP", "SCTP", None), ("tcp", "ICMP", "", 6))
TYPES = Pool(("Ingress", "Egress"), ("ingress", "", 1))
OPERATORS = Pool(("In", "NotIn", "Exists", "DoesNotExist"), ("Gt", "in", "", None))
JUNK: tuple[object, ...] = (None, [], {}, "", "x", 0, [None], {"x": 1}, True, [[]], {"": ""})
RARELY = 16

STRICTER = ("no null in a list", "a string", "text without lone surrogates")
"""What the reader refuses beyond an API server; each is explained where it is refused."""


class Choices:
    """The choices that the fuzzer's bytes make."""

    def __init__(self, data: bytes) -> None:
        self.provider = atheris.FuzzedDataProvider(data)

    def one(self, values: Sequence[object]) -> object:
        """Return one of the values; an exhausted input chooses the first."""
        return values[self.provider.ConsumeIntInRange(0, len(values) - 1)]

    def often(self) -> bool:
        """Return True, but for once in a while; with an exhausted input, True."""
        return bool(self.provider.ConsumeIntInRange(1, RARELY) < RARELY)

    def mapping(self, **fields: Make) -> object:
        """Return a mapping of some of the fields, seldom junk or with an unknown field."""
        if not self.often():
            return self.one(JUNK)
        made = {name: make(self) for name, make in fields.items() if self.provider.ConsumeBool()}
        if not self.often():
            made["unknown"] = self.one(JUNK)
        return made

    def some(self, make: Make) -> object:
        """Return a list of up to three, seldom junk."""
        if not self.often():
            return self.one(JUNK)
        return [make(self) for _ in range(self.provider.ConsumeIntInRange(0, 3))]


def pick(pool: Pool) -> Make:
    """Return what makes one of the pool's values, seldom a doubtful one."""
    return lambda choices: choices.one(pool.good if choices.often() else pool.doubtful)


def labels(choices: Choices) -> object:
    """Return a map of labels."""
    if not choices.often():
        return choices.one(JUNK)
    count = choices.provider.ConsumeIntInRange(0, 2)
    return {str(pick(KEYS)(choices)): pick(VALUES)(choices) for _ in range(count)}


def selector(choices: Choices) -> object:
    """Return a label selector."""

    def term(inner: Choices) -> object:
        values: Make = lambda deeper: deeper.some(pick(VALUES))  # noqa: E731
        return inner.mapping(key=pick(KEYS), operator=pick(OPERATORS), values=values)

    return choices.mapping(matchLabels=labels, matchExpressions=lambda inner: inner.some(term))


def rules(peers: str) -> Make:
    """Return what makes a direction's rules."""

    def block(choices: Choices) -> object:
        return choices.mapping(
            **{"cidr": pick(CIDRS), "except": lambda inner: inner.some(pick(HOLES))}
        )

    def peer(choices: Choices) -> object:
        return choices.mapping(podSelector=selector, namespaceSelector=selector, ipBlock=block)

    def port(choices: Choices) -> object:
        return choices.mapping(protocol=pick(PROTOCOLS), port=pick(PORTS), endPort=pick(LAST_PORTS))

    def rule(choices: Choices) -> object:
        return choices.mapping(
            **{peers: lambda inner: inner.some(peer), "ports": lambda inner: inner.some(port)}
        )

    return lambda choices: choices.some(rule)


def policy(choices: Choices) -> object:
    """Return a NetworkPolicy as a server would be sent it, good or bad."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "db"}
        if choices.often()
        else choices.mapping(
            name=pick(NAMES), namespace=pick(SPACES), labels=labels, annotations=labels
        ),
        "spec": choices.mapping(
            podSelector=selector,
            policyTypes=lambda inner: inner.some(pick(TYPES)),
            ingress=rules("from"),
            egress=rules("to"),
        ),
    }


def expect(holds: bool, what: str, value: object) -> None:  # noqa: FBT001 - like assert
    """Raise unless it holds; an exception is what ends the fuzzer."""
    if not holds:
        raise AssertionError(f"{what}: {value!r}")


def check_refusal(error: InputError, place: str) -> None:
    """Every fault of a refusal names the place."""
    expect(all(place in fault.place for fault in error.faults), "a fault without its file", error)


def check_document(document: object) -> None:
    """Compare the reader with the API server, and what it accepts with itself written again."""
    refused = refusals(document)
    try:
        found = parse_policies([document], "file.yaml").policies
    except InputError as error:
        check_refusal(error, "file.yaml: ")
        stricter = all(fault.expected.startswith(STRICTER) for fault in error.faults)
        expect(bool(refused) or stricter, "only the reader refuses", document)
        return
    expect(not refused, f"an API server refuses {refused} of", document)
    for one in found:
        again = parse_policies([to_document(one)], "file.yaml").policies
        expect(again.policies == (one,), "other than before when written and read again", one)


def check_file(data: bytes, path: Path) -> None:
    """Read the bytes as a file; compare what is accepted of it with the API server."""
    path.write_bytes(data)
    try:
        found = read_policies([path])
    except InputError as error:
        check_refusal(error, str(path))
        return
    try:
        documents = list(yaml_documents(data.decode("utf-8-sig")))
    except (YamlError, UnicodeDecodeError):
        return
    meant = [
        one
        for one in documents
        if isinstance(one, dict)
        and (one.get("kind"), one.get("apiVersion")) == ("NetworkPolicy", "networking.k8s.io/v1")
    ]
    expect(all(not refusals(one) for one in meant), "accepted", meant)
    expect(len(found.policies) >= len(meant), "overlooked", meant)


SEEDS = (
    b"""\0kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: db, namespace: shop, labels: {app: db}}
spec:
  podSelector: {matchLabels: {role: db}, matchExpressions: [{key: a, operator: In, values: [b]}]}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {}}, {namespaceSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: []}}]
    ports: [{port: 80, endPort: 90}, {protocol: UDP, port: dns}]
  egress: [{}]
""",
    b'\0{"kind": "List", "apiVersion": "v1", "items": [{"kind": "NetworkPolicy"}]}',
    b"\0a: &a [1]\nb: *a\n<<: {c: !!str 1}\n---\n- null\n",
    b"@" + bytes(range(1, 255)) * 2,
)


def main() -> None:
    """Fuzz until libFuzzer's arguments say stop; a fault of the reader ends it at once."""
    with TemporaryDirectory() as folder:
        path, corpus = Path(folder, "a.yaml"), Path(folder, "corpus")
        corpus.mkdir()
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_bytes(seed)

        def check(data: bytes) -> None:
            if data[:1] < b"@":
                check_file(data[1:], path)
            else:
                check_document(policy(Choices(data[1:])))

        atheris.Setup([*sys.argv, str(corpus)], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
