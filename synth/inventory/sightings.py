"""What the files of a cluster dump show: objects, each seen at a time, and lists seen whole."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from synth.inventory.fields import Faults, Field
from synth.inventory.times import find_newest_time

EVENTS: Final = ("ADDED", "MODIFIED", "DELETED")
UNDATED: Final = -1
"""The time of what carries none (a manifest): before all that does."""

Content = TypeVar("Content")
Parse = Callable[[Field, str, str], object]
"""Field, namespace and name → the parsed content."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One object as one file shows it; ``content`` is what the parser of its kind made of it.

    Times are microseconds since 1970 UTC. ``list_number`` counts the lists of the file; -1 outside.
    """

    group: str
    kind: str
    namespace: str
    name: str
    uid: str
    time: int
    newest: int | None
    """The newest time in the object itself."""
    content: object
    deleted: bool
    file: str
    number: int
    list_number: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        """API group, kind, namespace, name."""
        return self.group, self.kind, self.namespace, self.name

    @property
    def order(self) -> tuple[int, str, int]:
        """What orders sightings: time, then file and place in it."""
        return self.time, self.file, self.number


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that speaks for all objects of the kinds in it at its time.

    A list with objects of one namespace speaks for that namespace only, one of several for all.
    """

    time: int
    namespaces: Mapping[tuple[str, str], frozenset[str]]
    """API group and kind → the namespaces of its objects."""

    def covers(self, one: Sighting) -> bool:
        """Return whether the list would hold the object, if it existed."""
        named = self.namespaces.get((one.group, one.kind), frozenset())
        return len(named) > 1 or one.namespace in named


@dataclass(frozen=True, slots=True)
class Dump:
    """Sightings in order and listings by time: all that the files show."""

    sightings: tuple[Sighting, ...]
    listings: tuple[Listing, ...]
    warnings: tuple[str, ...] = ()

    def of(self, content: type[Content]) -> list[tuple[Sighting, Content]]:
        """Return the sightings with this type of content."""
        return [(one, one.content) for one in self.sightings if isinstance(one.content, content)]

    def latest(self, content: type[Content]) -> list[tuple[Sighting, Content]]:
        """Return the last sighting of each object, sorted by kind, namespace and name."""
        last = {one.key: (one, thing) for one, thing in self.of(content)}
        return [last[key] for key in sorted(last)]

    def present(self, content: type[Content]) -> list[tuple[Sighting, Content]]:
        """Return the last sighting of each object that still exists, as far as the dump tells."""
        return [pair for pair in self.latest(content) if self.exists(pair[0])]

    def exists(self, last: Sighting) -> bool:
        """Return whether the object of this last sighting was neither deleted nor missed later."""
        return not last.deleted and self.missed_at(last) is None

    def missed_at(self, last: Sighting) -> int | None:
        """Return the time of the first later list that should hold the object and does not."""
        for listing in self.listings:
            if listing.time > last.time and listing.covers(last):
                return listing.time
        return None


@dataclass(slots=True)
class _Reading:
    """The state of reading one file."""

    faults: Faults
    parsers: Mapping[tuple[str, str], Parse]
    cluster_wide: Collection[str]
    clock: int = UNDATED
    number: int = 0
    lists: int = 0


def read_documents(
    file: str,
    documents: list[Any],
    parsers: Mapping[tuple[str, str], Parse],
    cluster_wide: Collection[str],
    faults: Faults,
) -> Dump:
    """Return what the documents of one file show; faults are added to ``faults``.

    A list (``kubectl get``) is a snapshot and speaks for its newest time. Objects in a row and
    watch events are a stream: each is seen at the newest time that it or one before it holds, as
    an event cannot be older than those before it.
    """
    reading = _Reading(faults, parsers, cluster_wide)
    sightings: list[Sighting] = []
    listings: list[Listing] = []
    warnings: list[str] = []
    for value in _flattened(documents):
        if _is_list(value):
            found, listing = _read_list(reading, value, file)
            sightings += found
            listings += [listing] if listing.time != UNDATED else []
        elif isinstance(value, dict) and "object" in value and "type" in value:
            sightings += _read_event(reading, value, file)
            if value["type"] == "ERROR":
                warnings.append(f"{file}: the watch broke off; what happened then is not known.")
        else:
            sightings += _read_streamed(reading, value, file)
    return Dump(tuple(sightings), tuple(listings), tuple(warnings))


def merge_dumps(dumps: list[Dump]) -> Dump:
    """Return what all the files show together; their order makes no difference."""
    return Dump(
        tuple(sorted((one for dump in dumps for one in dump.sightings), key=lambda one: one.order)),
        tuple(sorted((one for dump in dumps for one in dump.listings), key=lambda one: one.time)),
        tuple(sorted(warning for dump in dumps for warning in dump.warnings)),
    )


def _flattened(documents: list[Any]) -> Iterator[Any]:
    for value in documents:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _is_list(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    kind = value.get("kind")
    return isinstance(kind, str) and kind.endswith("List") and "items" in value


def _read_list(
    reading: _Reading, value: dict[str, Any], file: str
) -> tuple[list[Sighting], Listing]:
    field = Field(value, reading.faults, str(value["kind"]))
    items = [*field.at("items").items()]
    times = [find_newest_time(item.value) for item in items]
    time = max((one for one in times if one is not None), default=UNDATED)
    kind, version = str(value["kind"]).removesuffix("List"), value.get("apiVersion")
    found: list[Sighting] = []
    for item, newest in zip(items, times, strict=True):
        if kind and isinstance(item.value, dict) and "kind" not in item.value:
            # Items of a typed list carry no kind of their own.
            typed = {"kind": kind, "apiVersion": version, **item.value}
            item = replace(item, value=typed)  # noqa: PLW2901 - the same item, completed
        found += _read_object(reading, item, file, (time, newest), reading.lists)
    reading.clock = max(reading.clock, time)
    reading.lists += 1
    namespaces: dict[tuple[str, str], set[str]] = {}
    for one in found:
        namespaces.setdefault((one.group, one.kind), set()).add(one.namespace)
    return found, Listing(time, {name: frozenset(some) for name, some in namespaces.items()})


def _read_event(reading: _Reading, value: dict[str, Any], file: str) -> list[Sighting]:
    found = _read_streamed(reading, value["object"], file) if value["type"] in EVENTS else []
    return [replace(one, deleted=value["type"] == "DELETED") for one in found]


def _read_streamed(reading: _Reading, value: Any, file: str) -> list[Sighting]:  # noqa: ANN401
    newest = find_newest_time(value)
    if newest is not None:
        reading.clock = max(reading.clock, newest)
    field = Field(value, reading.faults, f"document {reading.number + 1}")
    time = reading.clock if newest is not None else UNDATED
    return [*_read_object(reading, field, file, (time, newest), -1)]


def _read_object(
    reading: _Reading, field: Field, file: str, times: tuple[int, int | None], list_number: int
) -> Iterator[Sighting]:
    reading.number += 1
    kind, version = field.at("kind").text(), field.at("apiVersion").text()
    group = version.rpartition("/")[0]
    parse = reading.parsers.get((group, kind))
    if parse is None:
        if not kind and isinstance(field.value, dict):
            field.blame("a Kubernetes object, with apiVersion and kind")
        return
    metadata = field.at("metadata")
    name = metadata.at("name").name() or metadata.at("generateName").text().rstrip("-.")
    namespace = "" if kind in reading.cluster_wide else metadata.at("namespace").name() or "default"
    if not name:
        if metadata.at("name").value is None:
            metadata.at("name").blame("a name")
        return
    label = f"{kind} {namespace}/{name} " if namespace else f"{kind} {name} "
    yield Sighting(
        group=group,
        kind=kind,
        namespace=namespace,
        name=name,
        uid=metadata.at("uid").text(),
        time=times[0],
        newest=times[1],
        content=parse(Field(field.value, reading.faults, label), namespace, name),
        deleted=False,
        file=file,
        number=reading.number,
        list_number=list_number,
    )
