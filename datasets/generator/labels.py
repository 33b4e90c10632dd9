"""The labels of workloads: good ones, missing ones, misleading ones, and shared ones."""

from dataclasses import dataclass

from datasets.generator.options import Options
from datasets.generator.seeds import luck

import numpy as np  # isort: skip

Labels = tuple[tuple[str, str], ...]
PART_OF = "app.kubernetes.io/part-of"
_PRODUCTS = ("shop", "platform", "core", "growth")


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labels of the template, and those of them that the owner selects by."""

    labels: Labels
    selector: Labels
    versioned: bool


def label(  # noqa: PLR0913 - all that a label may be made of
    options: Options, number: int, name: str, namespace: str, *, twin: str, neighbour: str
) -> Labelled:
    """Return the labels of a workload.

    ``twin`` is the name that it shares with another workload of its role, if there is one;
    ``neighbour`` is a workload of its namespace.

    ==========  ======================================================================
    style       labels
    ==========  ======================================================================
    missing     what its whole namespace carries
    misleading  the neighbour's name as ``app``, its own as the instance
    twin        the common name as ``app``, its own as the shard
    plain       ``app`` (a third)
    advised     ``app.kubernetes.io/name``, ``instance``, and a version by rollout
    ==========  ======================================================================
    """

    def chance(concern: str) -> float:
        return float(luck(options.seed, concern, np.array([number]))[0])

    own: dict[str, str]
    if twin:
        own = {"app": twin, "shard": name}
    elif chance("missing labels") < options.missing_labels:
        own = {"team": namespace}
    elif chance("misleading labels") < options.misleading_labels and neighbour:
        own = {"app": neighbour, "app.kubernetes.io/instance": name}
    elif chance("label style") < 1 / 3:
        own = {"app": name}
    else:
        own = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": f"{name}-prod"}
    selector = tuple(sorted(own.items()))
    if chance("part-of") < options.part_of:
        own[PART_OF] = _PRODUCTS[int(chance("product") * len(_PRODUCTS))]
    versioned = "app.kubernetes.io/name" in own
    return Labelled(tuple(sorted(own.items())), selector, versioned)
