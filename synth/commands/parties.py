"""What a report of connectivity names: workloads or pods; and which of them a user asks about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from synth.errors import Fault, UsageError
from synth.evaluator.outside import common, without
from synth.evaluator.reach import End, Member, Party
from synth.evaluator.spans import Span, span_of
from synth.inventory.endpoint import Endpoint
from synth.inventory.model import Inventory
from synth.inventory.present import Present, exists


@dataclass(frozen=True, slots=True)
class Choice:
    """The parties that are meant, by number, and the addresses; None: all of them."""

    numbers: tuple[int, ...]
    spans: tuple[Span, ...] | None = None

    def within(self, places: Iterable[End]) -> tuple[End, ...]:
        """Return what of these places is meant."""
        if self.spans is None:
            return tuple(places)
        cut = (replace(one, spans=common(one.spans, self.spans)) for one in places)
        return tuple(one for one in cut if one.spans)


def list_parties(
    present: Iterable[Present], number: Mapping[Endpoint, int], *, pods: bool
) -> tuple[Party, ...]:
    """Return the parties by name; a template is named by its workload at either level."""
    members: dict[str, list[Member]] = {}
    for one in present:
        endpoint = one.endpoint
        name = f"{endpoint.namespace}/{one.pod}" if pods and one.pod else endpoint.name
        members.setdefault(name, []).append(Member(number[endpoint], one.families, one.pod))
    return tuple(Party(name, tuple(own)) for name, own in sorted(members.items()))


def choose(
    wanted: Sequence[str], parties: Sequence[Party], inventory: Inventory, flag: str
) -> Choice:
    """Return what the texts mean: names, namespaces, addresses, CIDRs; all, if there is none.

    An address that a pod holds means that pod.

    Raises
    ------
    UsageError
        If a text means nothing; all that do not are named.

    """
    if not wanted:
        return Choice(tuple(range(len(parties))))
    numbers: set[int] = set()
    spans: list[Span] = []
    faults: list[Fault] = []
    for text in wanted:
        span = _span(text)
        if span is None:
            named = {at for at, party in enumerate(parties) if _means(text, party.name)}
        else:
            named = _holders(span, parties, inventory)
            spans += without([span], _held(inventory)) if named else [span]
        numbers |= named
        if span is None and not named:
            expected = "a workload or pod as namespace/name, a namespace, an address or a CIDR"
            faults.append(Fault(flag, expected, f"{text!r}, which means nothing in the cluster"))
    if faults:
        raise UsageError(*faults)
    return Choice(tuple(sorted(numbers)), tuple(spans))


def _span(text: str) -> Span | None:
    try:
        return span_of(text)
    except ValueError:
        return None


def _means(text: str, name: str) -> bool:
    return text == name or name.startswith(f"{text}/")


def _held(inventory: Inventory) -> list[Span]:
    return [span_of(text) for _, _, text in _addresses(inventory)]


def _holders(span: Span, parties: Sequence[Party], inventory: Inventory) -> set[int]:
    """Return the parties of the one pod at the address; a CIDR means addresses outside alone."""
    if span[0] != span[1]:
        return set()
    names = {
        name
        for workload, pod, text in _addresses(inventory)
        if span_of(text) == span
        for name in (workload, pod)
    }
    return {at for at, party in enumerate(parties) if party.name in names}


def _addresses(inventory: Inventory) -> list[tuple[str, str, str]]:
    """Return workload, pod and address of every pod that exists and holds one of its own."""
    return [
        (f"{pod.namespace}/{pod.workload.partition('/')[2]}", f"{pod.namespace}/{pod.name}", text)
        for pod in inventory.pods
        if exists(pod, inventory) and not pod.host_network
        for text in pod.addresses
    ]
