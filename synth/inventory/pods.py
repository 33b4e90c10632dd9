"""Pod objects and pod templates, parsed."""

from dataclasses import dataclass
from typing import Final

from synth.inventory.endpoint import ContainerPort
from synth.inventory.fields import Field
from synth.inventory.model import Container, Labels
from synth.inventory.times import find_first_run, find_last_run
from synth.policy.ports import Protocol

FINISHED: Final = ("Succeeded", "Failed")
DAEMON_SET: Final = "DaemonSet"
SCHEDULED_BY_CRON: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"

Words = tuple[tuple[str, bool], ...]
"""Texts in which Services may be named; True: the whole value of an environment variable."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of an object."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class PodSpec:
    """What a pod, or a template of pods, says of its containers."""

    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    words: Words = ()
    config_maps: tuple[tuple[str, str], ...] = ()
    """ConfigMap and key that set environment variables; an empty key is all of them."""


@dataclass(frozen=True, slots=True)
class SeenPod:
    """A pod as one sighting shows it; times in microseconds, None where not known."""

    labels: Labels
    spec: PodSpec
    owner: Owner | None
    by_cron: bool
    node: str
    node_addresses: tuple[str, ...]
    addresses: tuple[str, ...]
    phase: str
    start: int | None
    """``status.startTime``, else ``metadata.creationTimestamp``."""
    first_run: int | None
    finished: int | None
    """When its last container ended; only of a Succeeded or Failed pod that has run."""
    deletion: int | None
    """When it is gone at latest (``deletionTimestamp`` holds the grace period already)."""
    containers: tuple[Container, ...] = ()
    """Of a pod of a DaemonSet only: of other pods, what runs in them makes no difference."""

    @property
    def live(self) -> bool:
        """Whether it runs or will run, under an address of its own."""
        return self.phase not in FINISHED and not self.spec.host_network


def parse_pod(field: Field, _namespace: str, _name: str) -> SeenPod:
    """Return the pod."""
    metadata, spec, status = field.at("metadata"), field.at("spec"), field.at("status")
    created, phase = metadata.at("creationTimestamp").time(), status.at("phase").text()
    pod, owner = parse_spec(spec), parse_owner(metadata)
    start = status.at("startTime").time() or created
    finished = find_last_run(field.value) if phase in FINISHED else None
    # One that is over, nobody knows since when, cannot be said to have held anything.
    holds = not pod.host_network and (phase not in FINISHED or (start or finished) is not None)
    return SeenPod(
        labels=metadata.at("labels").labels(),
        spec=pod,
        owner=owner,
        by_cron=is_by_cron(metadata),
        node=spec.at("nodeName").name(),
        node_addresses=_addresses(status, "hostIPs", "hostIP"),
        addresses=_addresses(status, "podIPs", "podIP") if holds else (),
        phase=phase,
        start=start,
        first_run=find_first_run(field.value),
        finished=finished,
        deletion=metadata.at("deletionTimestamp").time(),
        containers=parse_containers(spec) if owner and owner.kind == DAEMON_SET else (),
    )


def parse_owner(metadata: Field) -> Owner | None:
    """Return the controller that ``ownerReferences`` name; None without one."""
    owners = [*metadata.at("ownerReferences").items()]
    controllers = [owner for owner in owners if owner.at("controller").flag()]
    for owner in controllers or owners[:1]:
        kind, name = owner.at("kind").text(), owner.at("name").name()
        if kind.isalnum() and kind.isascii() and name:
            return Owner(kind, name)
        owner.blame("an owner with kind and name")
    return None


def is_by_cron(metadata: Field) -> bool:
    """Return whether a CronJob made the Job, or the pod says so of its Job."""
    return SCHEDULED_BY_CRON in metadata.at("annotations").mapping()


def parse_spec(spec: Field) -> PodSpec:
    """Return the containers' ports and words; init containers count if they keep running."""
    ports: set[ContainerPort] = set()
    words: list[tuple[str, bool]] = []
    maps: list[tuple[str, str]] = []
    for group in ("initContainers", "containers"):
        for container in spec.at(group).items():
            if group == "containers" or container.at("restartPolicy").value == "Always":
                ports.update(_ports(container))
            words += _words(container)
            maps += _config_maps(container)
    return PodSpec(
        ports=tuple(sorted(ports)),
        host_network=spec.at("hostNetwork").flag(),
        words=tuple(dict.fromkeys(words)),
        config_maps=tuple(dict.fromkeys(maps)),
    )


def parse_containers(spec: Field) -> tuple[Container, ...]:
    """Return what runs in the containers that keep running."""
    return tuple(
        Container(
            name=one.at("name").text(),
            image=one.at("image").text(),
            arguments=tuple(
                part.text() for name in ("command", "args") for part in one.at(name).items()
            ),
            environment=tuple(
                (variable.at("name").text(), variable.at("value").text())
                for variable in one.at("env").items()
                if variable.at("value").value is not None
            ),
        )
        for one in spec.at("containers").items()
    )


def parse_protocol(field: Field) -> Protocol | None:
    """Return the protocol, TCP by default; None for one that does not exist."""
    text = field.text() or Protocol.TCP.value
    try:
        return Protocol(text)
    except ValueError:
        field.blame("TCP, UDP or SCTP")
        return None


def _ports(container: Field) -> list[ContainerPort]:
    found = []
    for port in container.at("ports").items():
        number, protocol = port.at("containerPort").port(), parse_protocol(port.at("protocol"))
        if number is not None and protocol is not None:
            found.append(ContainerPort(protocol, number, port.at("name").text()))
    return found


def _words(container: Field) -> list[tuple[str, bool]]:
    env = [(one.at("value").text(), True) for one in container.at("env").items()]
    parts = [
        (part.text(), False) for name in ("command", "args") for part in container.at(name).items()
    ]
    return [pair for pair in (*env, *parts) if pair[0]]


def _config_maps(container: Field) -> list[tuple[str, str]]:
    whole = [(one.at("configMapRef", "name").text(), "") for one in container.at("envFrom").items()]
    keys = (one.at("valueFrom", "configMapKeyRef") for one in container.at("env").items())
    single = [(key.at("name").text(), key.at("key").text()) for key in keys]
    return [*((name, "") for name, _ in whole if name), *(pair for pair in single if all(pair))]


def _addresses(status: Field, plural: str, singular: str) -> tuple[str, ...]:
    several = [one.at("ip").address() for one in status.at(plural).items()]
    single = status.at(singular).address()
    return tuple(dict.fromkeys(one for one in (single, *several) if one))
