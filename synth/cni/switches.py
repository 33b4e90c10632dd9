"""What the settings of a plugin in the cluster say, as claims that come before the profile's."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from synth.cni.claims import Claim, Feature, Value
from synth.inventory.model import Container, Inventory

_HERE: Final = "this cluster"
_ENABLE: Final = "--enable-network-policy"
_ON: Final = ("true", "1", "yes", "on")


def read_switches(
    name: str, containers: Iterable[Container], inventory: Inventory
) -> tuple[Claim, ...]:
    """Return what the cluster's settings of the plugin of this name claim."""
    data = {key: dict(pairs) for key, pairs in inventory.switches}
    if name == "aws-vpc-cni":
        return tuple(_of_aws(containers, data.get("amazon-vpc-cni", {})))
    if name == "cilium":
        return tuple(_of_cilium(data.get("cilium-config", {})))
    if name == "kube-router":
        return tuple(_of_kube_router(containers))
    return ()


def _of_aws(containers: Iterable[Container], config: Mapping[str, str]) -> Iterator[Claim]:
    """Yield whether the agent on the nodes enforces: its own flag, else what turns it on."""
    found = list(containers)
    flags = [_flag(one, _ENABLE) for one in found]
    variables = [dict(one.environment).get("ENABLE_NETWORK_POLICY") for one in found]
    controller = config.get("enable-network-policy-controller")
    answers = (
        (flags, f"DaemonSet aws-node, {_ENABLE}"),
        (variables, "DaemonSet aws-node, ENABLE_NETWORK_POLICY"),
        ([controller], "ConfigMap amazon-vpc-cni, enable-network-policy-controller"),
    )
    for values, source in answers:
        known = [value for value in values if value is not None]
        if known:
            on = all(map(_is_on, known))
            note = "" if on else "it is switched off"
            yield Claim(Feature.ENFORCES, Value.YES if on else Value.NO, note, source, _HERE)
            return


def _of_cilium(config: Mapping[str, str]) -> Iterator[Claim]:
    source = "ConfigMap cilium-config, {}"
    off = {
        "enable-policy": config.get("enable-policy") == "never",
        "enable-k8s-networkpolicy": config.get("enable-k8s-networkpolicy") == "false",
        "policy-audit-mode": _is_on(config.get("policy-audit-mode", "")),
    }
    for key, disabled in off.items():
        if disabled:
            note = f"it is switched off: {key} is {config[key]}"
            yield Claim(Feature.ENFORCES, Value.NO, note, source.format(key), _HERE)
    mode = config.get("policy-cidr-match-mode", "")
    kinds = {"nodes": Feature.IP_BLOCK_NODES, "pods": Feature.IP_BLOCK_PODS}
    for word in mode.replace(",", " ").split():
        if word in kinds:
            note = f"policy-cidr-match-mode is {mode}"
            told = source.format("policy-cidr-match-mode")
            yield Claim(kinds[word], Value.YES, note, told, _HERE)
    sctp = config.get("enable-sctp")
    if sctp is not None:
        value = Value.YES if _is_on(sctp) else Value.NO
        note = f"enable-sctp is {sctp}"
        yield Claim(Feature.SCTP, value, note, source.format("enable-sctp"), _HERE)


def _of_kube_router(containers: Iterable[Container]) -> Iterator[Claim]:
    known = [value for one in containers if (value := _flag(one, "--run-firewall")) is not None]
    if known:
        on = all(map(_is_on, known))
        note = "" if on else "it is switched off"
        source = "DaemonSet kube-router, --run-firewall"
        yield Claim(Feature.ENFORCES, Value.YES if on else Value.NO, note, source, _HERE)


def _flag(container: Container, name: str) -> str | None:
    """Return the value of the flag: what follows its ``=``, and "true" without; None: not given."""
    for argument in container.arguments:
        flag, equals, value = argument.partition("=")
        if flag.lstrip("-") == name.lstrip("-"):
            return value if equals else "true"
    return None


def _is_on(value: str) -> bool:
    return value.strip().lower() in _ON
