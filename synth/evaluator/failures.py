"""Why a rule does not admit a row, term by term and in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from synth.evaluator.compile import Namespaces
from synth.evaluator.explanation import Failure, Term
from synth.evaluator.match import NAMESPACE_NAME, LabelIndex
from synth.evaluator.options import Options
from synth.evaluator.spans import span_of, spans_of
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.address import IpBlock, Network
from synth.policy.model import AddressPeer, Peer, PodPeer, Rule
from synth.policy.ports import NamedPort, PortRange, Protocol
from synth.policy.selector import Requirement, Selector

MOST_PEERS = 3
"""Of a rule with more peers, so many are spoken of."""
_NAMES = {protocol.number: protocol for protocol in Protocol}


@dataclass(frozen=True, slots=True)
class Contact:
    """One concrete row as one side sees it: its peer, its server, protocol and port."""

    peer: Endpoint
    server: Endpoint
    protocol: int
    port: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What words need to know: the policy's namespace, all namespaces' labels, the options."""

    namespace: str
    labels: Namespaces
    options: Options


def peer_failure(rule: Rule, contact: Contact, setting: Setting) -> Failure:
    """Return why none of the rule's peers is the contact's peer."""
    told = [_not_peer(one, contact.peer, setting) for one in rule.peers]
    more = len(told) - MOST_PEERS
    shown = told[:MOST_PEERS] + ([f"and {more} peers more"] if more > 0 else [])
    return Failure(Term.PEER, "; ".join(dict.fromkeys(shown)))


def port_failures(rule: Rule, contact: Contact) -> Iterator[Failure]:
    """Yield why none of the rule's ports is the contact's: its protocol, its number, or both."""
    terms = rule.ports.terms
    spoken = [term for term in terms if term.protocol.number == contact.protocol]
    if not spoken:
        words = " or ".join(sorted({term.protocol.value for term in terms})) or "no protocol"
        own = _NAMES[contact.protocol].value if contact.protocol in _NAMES else contact.protocol
        yield Failure(Term.PROTOCOL, f"the rule is for {words}, not {own}")
    if contact.protocol in _NAMES and not any(_numbers(term, contact) for term in spoken or terms):
        told = (_not_port(term, contact) for term in spoken or terms)
        yield Failure(Term.PORT, "; ".join(dict.fromkeys(told)) or "the rule has no port")


def _numbers(term: PortRange | NamedPort, contact: Contact) -> bool:
    """Return whether the term holds the number, of whatever protocol."""
    if isinstance(term, PortRange):
        return term.every or term.first <= contact.port <= term.last
    return contact.port in _meanings(term, contact.server)


def _not_port(term: PortRange | NamedPort, contact: Contact) -> str:
    if isinstance(term, PortRange):
        return f"{contact.port} is not {_ports(term)}"
    if contact.server.kind is not Kind.POD:
        return f"the port name {term.name} means nothing at {contact.server.name}, which is no pod"
    means = sorted(_meanings(term, contact.server))
    if not means:
        return f"no {term.protocol} port of {contact.server.name} is named {term.name}"
    numbers = " and ".join(map(str, means))
    return f"the port name {term.name} means {numbers} at {contact.server.name}, not {contact.port}"


def _ports(term: PortRange) -> str:
    return str(term.first) if term.first == term.last else f"in {term.first}-{term.last}"


def _meanings(term: NamedPort, server: Endpoint) -> frozenset[int]:
    if server.kind is not Kind.POD:
        return frozenset()
    wanted = term.protocol, term.name
    return frozenset(one.number for one in server.ports if (one.protocol, one.name) == wanted)


def _not_peer(peer: Peer, endpoint: Endpoint, setting: Setting) -> str:
    if isinstance(peer, AddressPeer):
        return _not_in(peer.block, endpoint, setting.options)
    return _not_pod(peer, endpoint, setting)


def _not_pod(peer: PodPeer, endpoint: Endpoint, setting: Setting) -> str:
    if endpoint.kind is not Kind.POD:
        return f"{endpoint.name} is no pod, and the rule admits {peer}"
    found = [*_wrong_namespace(peer, endpoint, setting)]
    found += _unmet(peer.pods, dict(endpoint.labels), f"{endpoint.name}")
    return ", and ".join(found) or f"{endpoint.name} is not among {peer}"


def _wrong_namespace(peer: PodPeer, endpoint: Endpoint, setting: Setting) -> Iterator[str]:
    if peer.namespaces is None:
        if endpoint.namespace != setting.namespace:
            yield (
                f"{endpoint.name} is in namespace {endpoint.namespace}, and without a"
                f" namespaceSelector only {setting.namespace} is meant"
            )
        return
    labels = {**setting.labels.get(endpoint.namespace, {}), NAMESPACE_NAME: endpoint.namespace}
    yield from _unmet(peer.namespaces, labels, f"namespace {endpoint.namespace}")


def _unmet(selector: Selector, labels: Mapping[str, str], whose: str) -> Iterator[str]:
    """Yield the requirements that the labels do not meet, with what there is instead."""
    index = LabelIndex.of([labels.items()])
    for one in selector.requirements:
        if not index.meet(one)[0]:
            yield f"{whose} is not {one} ({_instead(one, labels)})"


def _instead(requirement: Requirement, labels: Mapping[str, str]) -> str:
    key = requirement.key
    return f"it has {key}={labels[key]}" if key in labels else f"it has no label {key}"


def _not_in(block: IpBlock, endpoint: Endpoint, options: Options) -> str:
    if endpoint.kind is Kind.POD:
        return _pod_not_in(block, endpoint, options)
    if endpoint.kind is Kind.NODE and options.ip_block_nodes == "no":
        return f"{endpoint.name} is a node, and the block {block} is taken to hold no nodes"
    if not endpoint.address:
        return f"the address of {endpoint.name} is not known"
    low, high = span_of(endpoint.address)
    for hole in block.excepts:
        if _holds(hole, low, high):
            return f"{endpoint.name} is in the except {hole} of {block.cidr}"
    ((first, last),) = spans_of(IpBlock(block.cidr))
    if low <= last and first <= high:
        return f"{endpoint.name} is only in part inside {block}"
    return f"{endpoint.name} is outside {block.cidr}"


def _holds(network: Network, low: int, high: int) -> bool:
    ((first, last),) = spans_of(IpBlock(network))
    return first <= low and high <= last


def _pod_not_in(block: IpBlock, endpoint: Endpoint, options: Options) -> str:
    if options.ip_block_pods == "no":
        return f"{endpoint.name} is a pod, and the block {block} is taken to hold no pods"
    if str(block.cidr) not in endpoint.blocks:
        return f"the address of {endpoint.name} is outside {block.cidr}"
    holes = [str(one) for one in block.excepts if str(one) in endpoint.blocks]
    return f"the address of {endpoint.name} is in the except {', '.join(holes)} of {block.cidr}"
