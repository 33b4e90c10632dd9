"""YAML text → plain values, safely: no tags that run code, no alias bombs, no duplicate keys.

Values are built from parser events, so that neither deep nesting nor an alias inside its own anchor
can exhaust the stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from synth.dialects.kubernetes.nodes import shown
from synth.dialects.kubernetes.scalars import UnclearNumber, resolve

MOST_NODES_FROM_ALIASES = 100_000
MOST_NESTED = 100

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"


class YamlError(Exception):
    """The text cannot be read: ``line`` counts from 1, ``expected`` and ``got`` say why."""

    def __init__(self, line: int, expected: str, got: str, remedy: str = "") -> None:
        super().__init__(expected)
        self.line, self.expected, self.got, self.remedy = line, expected, got, remedy


class _MergeKey(str):
    """The unquoted key ``<<``, which merges mappings; anywhere else a string like others."""

    __slots__ = ()


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being built; ``parts`` of a mapping alternate key and value."""

    mapping: bool
    line: int
    anchor: str | None = None
    nodes_before: int = 0
    parts: list[object] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Builder:
    """The frames that are open, the anchors of the document, and how many nodes there are."""

    frames: list[_Frame] = field(default_factory=list)
    anchors: dict[str, tuple[object, int]] = field(default_factory=dict)
    nodes: int = 0
    from_aliases: int = 0

    def open(self, event: yaml.CollectionStartEvent) -> None:
        """Start a list or a mapping."""
        line = _line(event)
        if len(self.frames) > MOST_NESTED:
            raise YamlError(line, f"at most {MOST_NESTED} nested lists and mappings", "more")
        mapping = isinstance(event, yaml.MappingStartEvent)
        self.frames.append(_Frame(mapping, line, event.anchor, self.nodes))

    def close(self) -> None:
        """End the innermost list or mapping and hand its value to the one around it."""
        frame = self.frames.pop()
        value = _mapping(frame) if frame.mapping else frame.parts
        self.nodes += 1
        if frame.anchor is not None:
            self.anchors[frame.anchor] = value, self.nodes - frame.nodes_before
        self.add(value, frame.line)

    def add_scalar(self, event: yaml.ScalarEvent) -> None:
        """Add a scalar."""
        self.nodes += 1
        value = _scalar(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = value, 1
        self.add(value, _line(event))

    def add_alias(self, event: yaml.AliasEvent) -> None:
        """Add the anchored value once more, counting all that it holds."""
        line = _line(event)
        if event.anchor not in self.anchors:
            raise YamlError(line, "an alias of an anchor that ends above it", f"*{event.anchor}")
        value, nodes = self.anchors[event.anchor]
        self.nodes += nodes
        self.from_aliases += nodes
        if self.from_aliases > MOST_NODES_FROM_ALIASES:
            limit = f"at most {MOST_NODES_FROM_ALIASES} values repeated by aliases"
            raise YamlError(line, limit, "more", "Write the values out.")
        self.add(value, line)

    def add(self, value: object, line: int) -> None:
        """Add the value to the innermost open list or mapping."""
        self.frames[-1].parts.append(value)
        self.frames[-1].lines.append(line)


def yaml_documents(text: str) -> Iterator[object]:
    """Return an iterator over the documents, as dicts, lists, strings, ints, bools and None.

    Raises
    ------
    YamlError
        If the text is not YAML, repeats a key, nests too deeply or repeats too much by aliases.

    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                builder = _Builder([_Frame(mapping=False, line=_line(event))])
            elif isinstance(event, yaml.CollectionStartEvent):
                builder.open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                builder.close()
            elif isinstance(event, yaml.ScalarEvent):
                builder.add_scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                builder.add_alias(event)
            elif isinstance(event, yaml.DocumentEndEvent):
                yield builder.frames[0].parts[0]
    except yaml.YAMLError as error:
        raise _syntax_error(error) from None


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1


def _syntax_error(error: yaml.YAMLError) -> YamlError:
    mark: yaml.Mark | None = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "something else"
    return YamlError(mark.line + 1 if mark else 1, "YAML", str(problem))


def _scalar(event: yaml.ScalarEvent) -> object:
    if event.tag is None:
        if not event.implicit[0]:
            return event.value
        return _MergeKey(event.value) if event.value == "<<" else resolve(event.value)
    if event.tag in ("!", f"{_TAG}str"):
        return event.value
    if event.tag in (f"{_TAG}{name}" for name in ("bool", "int", "null")):
        value = resolve(event.value)
        return UnclearNumber(event.value) if isinstance(value, str) else value
    return UnclearNumber(f"{event.tag.replace(_TAG, '!!')} {event.value}")


def _mapping(frame: _Frame) -> dict[object, object]:
    """Return the mapping; ``<<`` adds what it does not say itself."""
    own: dict[object, object] = {}
    merged: list[dict[object, object]] = []
    pairs = zip(frame.parts[::2], frame.parts[1::2], frame.lines[::2], strict=True)
    for key, value, line in pairs:
        name = UnclearNumber("a list or mapping") if isinstance(key, list | dict) else key
        if name in own or (merged and name == "<<"):
            raise YamlError(line, "each key once in a mapping", f"{shown(name)} again")
        if isinstance(name, _MergeKey):
            merged += _merge_sources(value, line)
        else:
            own[name] = value
    for source in merged:
        for key, value in source.items():
            own.setdefault(key, value)
    return own


def _merge_sources(value: object, line: int) -> list[dict[object, object]]:
    sources = value if isinstance(value, list) else [value]
    mappings = [source for source in sources if isinstance(source, dict)]
    if len(mappings) < len(sources):
        raise YamlError(line, "a mapping or a list of mappings to merge with '<<'", "another value")
    return mappings
