"""The times inside an object: kubectl prints none of its own, so they date a snapshot."""

from collections.abc import Iterator
from typing import Any, Final

from synth.inventory.fields import parse_time

_PLAIN: Final = (
    ("metadata", "creationTimestamp"),
    ("status", "startTime"),
    ("status", "completionTime"),
    ("spec", "renewTime"),
)
_CONDITION: Final = (
    "lastTransitionTime",
    "lastHeartbeatTime",
    "lastProbeTime",
    "lastUpdateTime",
)
_STATUSES: Final = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
_SECOND: Final = 1_000_000


def find_newest_time(value: Any) -> int | None:  # noqa: ANN401 - a loaded document
    """Return the newest time in the object, microseconds; None if there is none.

    Of a pod being deleted, ``deletionTimestamp`` lies ahead by its grace period: the time at
    which the deletion was asked for counts.
    """
    return max(_times_in(value), default=None)


def find_first_run(pod: Any) -> int | None:  # noqa: ANN401 - a loaded document
    """Return when the first container ran: the pod's address is its own by then."""
    return min(_run_times(pod, "startedAt"), default=None)


def find_last_run(pod: Any) -> int | None:  # noqa: ANN401 - a loaded document
    """Return when the last container of the pod terminated; None if none is known to have."""
    return max(_run_times(pod, "finishedAt"), default=None)


def _times_in(value: Any) -> Iterator[int]:  # noqa: ANN401 - a loaded document
    for outer, inner in _PLAIN:
        yield from _time(_at(_at(value, outer), inner))
    for entry in _list(_at(_at(value, "metadata"), "managedFields")):
        yield from _time(_at(entry, "time"))
    for condition in _list(_at(_at(value, "status"), "conditions")):
        for name in _CONDITION:
            yield from _time(_at(condition, name))
    yield from _run_times(value, "startedAt")
    yield from _run_times(value, "finishedAt")
    grace = _at(_at(value, "metadata"), "deletionGracePeriodSeconds")
    for time in _time(_at(_at(value, "metadata"), "deletionTimestamp")):
        yield time - (grace * _SECOND if isinstance(grace, int) else 0)


def _run_times(pod: Any, name: str) -> Iterator[int]:  # noqa: ANN401 - a loaded document
    for statuses in _STATUSES:
        for status in _list(_at(_at(pod, "status"), statuses)):
            for when in ("state", "lastState"):
                for how in ("running", "terminated"):
                    yield from _time(_at(_at(_at(status, when), how), name))


def _at(value: Any, name: str) -> Any:  # noqa: ANN401 - a loaded document
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - a loaded document
    return value if isinstance(value, list) else []


def _time(value: object) -> Iterator[int]:
    time = parse_time(value)
    if time is not None and time > 0:
        yield time
