"""Names of pods, of what owns them, and of nodes."""

from dataclasses import dataclass
from hashlib import blake2b

from datasets.generator.life import Pods
from datasets.generator.workloads import COLOURS, CRON_JOB, DEPLOYMENT, Workload

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Name:
    """What a pod is called; ``parent`` owns it, and ``top`` owns that (or is the same)."""

    pod: str
    parent_kind: str
    parent: str
    top: str
    hash: str
    uid: str

    @property
    def owner(self) -> str:
        """``Kind/name`` of the top-level owner."""
        kind = {"ReplicaSet": DEPLOYMENT, "Job": CRON_JOB}.get(self.parent_kind, self.parent_kind)
        return f"{kind}/{self.top}"


def name_pod(seed: int, workload: Workload, pods: Pods, pod: int) -> Name:
    """Return the names of the pod."""
    slot, start, version = int(pods.slot[pod]), int(pods.start[pod]), int(pods.version[pod])
    uid = f"{slot:08x}-0000-4000-8000-{start:012x}"
    top = owner_name(workload, version)
    if workload.kind == CRON_JOB:
        job = f"{top}-{start // 60}"
        return Name(f"{job}-{_letters(seed, slot, start, 5)}", "Job", job, top, "", uid)
    code = template_hash(seed, workload, version)
    if workload.kind == DEPLOYMENT:
        parent = f"{top}-{code}"
        suffix = _letters(seed, slot, start, 5)
        return Name(f"{parent}-{suffix}", "ReplicaSet", parent, top, code, uid)
    place = int(pods.slots.place[slot])
    return Name(f"{top}-{place}", workload.kind, top, top, f"{top}-{code}", uid)


def owner_name(workload: Workload, version: int) -> str:
    """Return the name of the object that owns the pods of the version."""
    return f"{workload.name}-{colour(version)}" if workload.coloured else workload.name


def colour(version: int) -> str:
    """Return the colour of a version: each rollout changes it."""
    return COLOURS[version % len(COLOURS)]


def template_hash(seed: int, workload: Workload, version: int) -> str:
    """Return the hash of the workload's template."""
    return _letters(seed, -1 - workload.number, version, 9)


def node_name(number: int) -> str:
    """Return the name of the node."""
    low = number + 17
    return f"ip-10-64-{low >> 8}-{low & 255}.eu-central-1.compute.internal"


def _letters(seed: int, one: int, other: int, size: int) -> str:
    digest = blake2b(f"{seed} {one} {other}".encode(), digest_size=size).digest()
    return "".join(_LETTERS[octet % len(_LETTERS)] for octet in digest)
