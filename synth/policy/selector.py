"""Label selectors: a conjunction of requirements on labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """How a requirement compares a label, in the words of the Kubernetes API."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"

    @property
    def takes_values(self) -> bool:
        """Whether the operator needs at least one value (the others take none)."""
        return self in (Operator.IN, Operator.NOT_IN)

    @property
    def needs_key(self) -> bool:
        """Whether only objects that carry the key can satisfy it."""
        return self in (Operator.IN, Operator.EXISTS)


@dataclass(frozen=True, slots=True, order=True)
class Requirement:
    """One term of a selector; ``values`` is sorted and unique, and empty for (DoesNot)Exist(s)."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Sort the values.

        Raises
        ------
        ValueError
            If the operator takes values and there are none, or the reverse.

        """
        if self.operator.takes_values != bool(self.values):
            message = f"{self.operator.value} takes {'' if self.values else 'no '}values"
            raise ValueError(message)
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))

    @property
    def equality(self) -> bool:
        """Whether the requirement says key = one value, which ``matchLabels`` can express."""
        return self.operator is Operator.IN and len(self.values) == 1

    def __str__(self) -> str:
        """Return the requirement as ``kubectl -l`` writes it."""
        if self.equality:
            return f"{self.key}={self.values[0]}"
        if self.operator.takes_values:
            word = "in" if self.operator is Operator.IN else "notin"
            return f"{self.key} {word} ({','.join(self.values)})"
        return self.key if self.operator is Operator.EXISTS else f"!{self.key}"


@dataclass(frozen=True, slots=True, order=True)
class Selector:
    """A conjunction of requirements, sorted and unique; without any it selects everything.

    >>> str(Selector.equal({"role": "db"}))
    'role=db'
    """

    requirements: tuple[Requirement, ...] = ()

    def __post_init__(self) -> None:
        """Sort the requirements, so that equal selectors print equally."""
        object.__setattr__(self, "requirements", tuple(sorted(set(self.requirements))))

    @classmethod
    def equal(cls, labels: Mapping[str, str]) -> "Selector":
        """Return the selector that ``matchLabels`` of these labels means."""
        return cls.of(Requirement(key, Operator.IN, (value,)) for key, value in labels.items())

    @classmethod
    def of(cls, requirements: Iterable[Requirement]) -> "Selector":
        """Return the conjunction of the requirements."""
        return cls(tuple(requirements))

    @property
    def everything(self) -> bool:
        """Whether the selector has no requirement and so selects all objects."""
        return not self.requirements

    @property
    def positive(self) -> bool:
        """Whether some requirement can only be met by an object that carries its key."""
        return any(term.operator.needs_key for term in self.requirements)

    def __and__(self, other: "Selector") -> "Selector":
        """Return the selector of the objects that both select."""
        return Selector((*self.requirements, *other.requirements))

    def __str__(self) -> str:
        """Return the selector as ``kubectl -l`` writes it; ``everything`` for the empty one."""
        return ",".join(map(str, self.requirements)) or "everything"
