"""Files, folders or loaded objects → the policies they hold, or every fault of every file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synth.dialects.kubernetes.documents import manifest_files, read_documents
from synth.dialects.kubernetes.kinds import Found, OtherPolicy, find_objects, other_policy
from synth.dialects.kubernetes.nodes import Faults, Node
from synth.dialects.kubernetes.validate import DEFAULT_NAMESPACE, read_policy
from synth.errors import Fault
from synth.policy import Policy, PolicySet


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies found, the policies of other APIs (which nothing evaluates), the files read."""

    policies: PolicySet = field(default_factory=PolicySet)
    elsewhere: tuple[OtherPolicy, ...] = ()
    files: tuple[str, ...] = ()


def read_policies(paths: Sequence[Path]) -> Policies:
    """Return the NetworkPolicies of the files, and of the YAML and JSON files below the folders.

    Objects of other kinds are passed over; a policy without a namespace is in ``default``.

    Raises
    ------
    InputError
        If a file cannot be read, or holds what an API server would refuse, or two policies share
        a namespace and a name: one fault for each, of all files together.

    """
    faults = Faults()
    files = manifest_files(paths, faults)
    found = _Collected(faults)
    for file in files:
        found.add(read_documents(file, faults), str(file))
    return found.finished(tuple(map(str, files)))


def parse_policies(documents: Iterable[object], place: str) -> Policies:
    """Return the NetworkPolicies among objects loaded from ``place``, as ``read_policies`` does.

    Raises
    ------
    InputError
        Under the same conditions.

    """
    found = _Collected(Faults())
    found.add(documents, place)
    return found.finished((place,))


@dataclass(slots=True)
class _Collected:
    """What was found so far."""

    faults: Faults
    policies: dict[tuple[str, str], Policy] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    elsewhere: set[OtherPolicy] = field(default_factory=set)

    def add(self, documents: Iterable[object], file: str) -> None:
        """Add the policies among the documents of one file."""
        for number, document in enumerate(documents, 1):
            for found in find_objects(document, number, file, self.faults):
                if found.is_policy:
                    self._add_policy(found)
                elif found.is_other:
                    self.elsewhere.add(other_policy(found))

    def _add_policy(self, found: Found) -> None:
        policy = read_policy(Node(found.value, found.owner, self.faults))
        namespace, name = found.key
        key = namespace or DEFAULT_NAMESPACE, name
        if name and key in self.places:
            expected = "one NetworkPolicy of this namespace and name"
            got = f"another one in {self.places[key]}"
            self.faults.add(Fault(found.owner, expected, got, "Rename or remove one."))
        self.places.setdefault(key, f"{found.file}, {found.number}")
        self.policies[policy.key] = policy

    def finished(self, files: tuple[str, ...]) -> Policies:
        """Return all that was found.

        Raises
        ------
        InputError
            If there is any fault.

        """
        self.faults.raise_any()
        return Policies(PolicySet.of(self.policies.values()), tuple(sorted(self.elsewhere)), files)
