"""A cluster's files repaired: one owner and one label of its own for each true role."""

import json
from pathlib import Path
from typing import Any

from benchmarks.judge.names import canonical_owner
from datasets.generator import Truth

ROLE_LABEL = "judge/role"
Object = dict[str, Any]


def repair_cluster(source: Path, target: Path, truth: Truth) -> None:
    """Write the cluster files of ``source`` into ``target``, owners and labels as they should be.

    Everything keeps its labels, so that Services select as before. Pods and owners of a role also
    get a label that nothing else carries; the owner selects by it alone. Owners that are one role
    are one: the first of them by name.
    """
    repair = _Repair(truth)
    making = target.with_name(f"{target.name}-in-the-making")
    making.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.name == "watch.json":
            events = [json.loads(line) for line in text.splitlines()]
            lines = [one | {"object": repair.repaired(one["object"])} for one in events]
            text = "".join(json.dumps(line) + "\n" for line in lines)
        else:
            whole = json.loads(text)
            text = json.dumps(whole | {"items": repair.all(whole["items"])})
        (making / path.name).write_text(text, encoding="utf-8")
    making.rename(target)


class _Repair:
    """The owners and roles of the truth."""

    def __init__(self, truth: Truth) -> None:
        self._owner = {
            (one.namespace, owner): canonical_owner(truth, one.key)
            for one in truth.workloads
            for owner in one.owners
        }
        self._role = {
            (one.namespace, owner): one.role.partition("/")[2]
            for one in truth.workloads
            for owner in one.owners
        }
        self._made: dict[tuple[str, str], str] = {}

    def all(self, things: list[Object]) -> list[Object]:
        """Return the objects repaired; of owners that become one, the one with the most pods."""
        for thing in things:
            self._learn(thing)
        found: dict[tuple[str, str, str], Object] = {}
        for thing in map(self.repaired, things):
            meta = thing["metadata"]
            key = thing["kind"], meta.get("namespace", ""), meta["name"]
            before = found.get(key)
            if before is None or _replicas(thing) > _replicas(before):
                found[key] = thing
        return list(found.values())

    def _learn(self, thing: Object) -> None:
        """Remember which owner made the ReplicaSet."""
        if thing["kind"] == "ReplicaSet":
            parent = thing["metadata"]["ownerReferences"][0]
            name = f"{parent['kind']}/{parent['name']}"
            self._made[thing["metadata"]["namespace"], thing["metadata"]["name"]] = name

    def repaired(self, thing: Object) -> Object:
        """Return the object repaired."""
        thing = json.loads(json.dumps(thing))
        meta = thing["metadata"]
        owner = self._owner_of(thing)
        role = self._role.get((meta.get("namespace", ""), owner))
        if role is None:
            return thing
        canonical = self._owner[meta["namespace"], owner].partition("/")
        meta["labels"] = meta.get("labels", {}) | {ROLE_LABEL: role}
        if thing["kind"] in ("Pod", "ReplicaSet"):
            meta["ownerReferences"] = [
                {"apiVersion": "apps/v1", "kind": canonical[0], "name": canonical[2]}
                | {"uid": f"{canonical[2]}-uid", "controller": True}
            ]
        else:
            meta["name"] = canonical[2]
        _label_template(thing, role)
        return thing

    def _owner_of(self, thing: Object) -> str:
        meta, kind = thing["metadata"], thing["kind"]
        if kind not in ("Pod", "ReplicaSet"):
            return f"{kind}/{meta['name']}"
        parent = meta["ownerReferences"][0]
        name = f"{parent['kind']}/{parent['name']}"
        namespace = meta["namespace"]
        if (namespace, name) in self._owner:
            return name
        # Made names end in a hash or a time: the owner's name is what stands before it.
        guess = parent["name"].rpartition("-")[0]
        made = self._made.get((namespace, parent["name"]), "")
        kinds = (f"{one}/{guess}" for one in ("Deployment", "CronJob"))
        return made or next((one for one in kinds if (namespace, one) in self._owner), name)


def _label_template(thing: Object, role: str) -> None:
    spec = thing.get("spec", {})
    job = spec.get("jobTemplate", {}).get("spec", {})
    for template in (spec.get("template"), job.get("template")):
        if template is not None:
            meta = template["metadata"]
            meta["labels"] = meta.get("labels", {}) | {ROLE_LABEL: role}
    if "matchLabels" in spec.get("selector", {}) and thing["kind"] != "ReplicaSet":
        spec["selector"]["matchLabels"] = {ROLE_LABEL: role}


def _replicas(thing: Object) -> int:
    return int(thing.get("spec", {}).get("replicas") or 0)
