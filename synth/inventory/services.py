"""Services, parsed; and the Services that the API server itself calls."""

from dataclasses import dataclass
from typing import Final

from synth.inventory.fields import Field
from synth.inventory.model import Service, ServicePort
from synth.inventory.pods import parse_protocol

CALLERS: Final = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
)
"""API group and kind of what makes the API server call Services."""


@dataclass(frozen=True, slots=True)
class Called:
    """The Services, as ``namespace/name``, that the API server calls for one object."""

    services: tuple[str, ...]


def parse_service(field: Field, namespace: str, name: str) -> Service:
    """Return the Service; a headless one has no addresses."""
    spec, balancer = field.at("spec"), field.at("status", "loadBalancer")
    several = [one.text() for one in spec.at("clusterIPs").items()]
    cluster = _addresses(spec.at("clusterIP"), *spec.at("clusterIPs").items())
    outside = _addresses(
        *spec.at("externalIPs").items(),
        *(one.at("ip") for one in balancer.at("ingress").items()),
    )
    kind = spec.at("type").text() or "ClusterIP"
    headless = "None" in (spec.at("clusterIP").value, *several)
    return Service(
        namespace=namespace,
        name=name,
        type=kind,
        selector=spec.at("selector").labels() or None,
        addresses=tuple(dict.fromkeys((*(() if headless else cluster), *outside))),
        ports=tuple(port for one in spec.at("ports").items() for port in _ports(one)),
        external_traffic_policy=spec.at("externalTrafficPolicy").text() or "Cluster",
        source_ranges=tuple(
            network
            for one in spec.at("loadBalancerSourceRanges").items()
            if (network := one.network())
        ),
        external_addresses=outside,
    )


def parse_caller(field: Field, _namespace: str, _name: str) -> Called:
    """Return the Services that a webhook, an aggregated API or a conversion calls."""
    spec = field.at("spec")
    places = [
        *(one.at("clientConfig", "service") for one in field.at("webhooks").items()),
        spec.at("service"),
        spec.at("conversion", "webhook", "clientConfig", "service"),
        spec.at("conversion", "webhookClientConfig", "service"),
    ]
    pairs = ((one.at("namespace").name(), one.at("name").name()) for one in places)
    return Called(tuple(sorted({"/".join(pair) for pair in pairs if all(pair)})))


def _addresses(*fields: Field) -> tuple[str, ...]:
    texts = (one.address() for one in fields if one.value not in ("None", ""))
    return tuple(dict.fromkeys(text for text in texts if text))


def _ports(field: Field) -> list[ServicePort]:
    number, protocol = field.at("port").port(), parse_protocol(field.at("protocol"))
    node_port = field.at("nodePort")
    target = field.at("targetPort")
    if number is None or protocol is None:
        return []
    if isinstance(target.value, str) and target.value:
        found: int | str = target.value
    else:
        # 0 and "" are what an unset targetPort looks like in some clients' output.
        found = (target.port() if target.value else None) or number
    return [ServicePort(protocol, number, found, node_port.port() if node_port.value else None)]
