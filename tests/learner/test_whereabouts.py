"""Who was always together, against the definition tried moment by moment."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from synth.edges.schema import Edges
from synth.inventory.model import Inventory, Pod
from synth.learner.model import Role
from synth.learner.whereabouts import Whereabouts
from tests.learner.worlds import Contact, World, edges_of

FIRST, LAST = 2, 7
NAMES = ("a", "b", "DaemonSet/c", "d")
TIMES = st.none() | st.integers(0, 9)
STAYS = st.tuples(st.sampled_from(NAMES), st.sampled_from(["n1", "n2", "n3", ""]), TIMES, TIMES)


def key_of(name: str) -> str:
    """Return the workload's key; a Deployment unless told."""
    return name if "/" in name else f"Deployment/{name}"


def build(stays: list[tuple[str, str, int | None, int | None]]) -> Inventory:
    """Return a cluster in which pods were on nodes from one moment to another."""
    world = World(nodes=["n1", "n2", "n3"])
    for name in NAMES:
        kind, _, short = key_of(name).partition("/")
        world.app(short, kind=kind, replicas=0)
    for name, node, start, end in stays:
        short = key_of(name).partition("/")[2]
        world.pod(short, node=node, start=start, end=end)
    return world.build()


def capture(inventory: Inventory) -> Edges:
    """Return edges of the moments from FIRST to LAST."""
    contact = Contact("203.0.113.1", "203.0.113.2", span=(FIRST, LAST))
    return edges_of(inventory, [contact])


def there(pods: list[Pod], moment: int) -> list[str]:
    """Return the nodes of the pods that were there at the moment."""
    return [
        one.node
        for one in pods
        if (one.start is None or one.start <= moment) and (one.end is None or moment < one.end)
    ]


def expected(inventory: Inventory, name: str) -> tuple[str, ...]:
    """Return who was always together with the workload, by the definition."""
    of = {one: [pod for pod in inventory.pods if pod.workload == key_of(one)] for one in NAMES}
    found = []
    for other in NAMES:
        pairs = [
            pair
            for moment in range(FIRST, LAST + 1)
            for pair in product(there(of[name], moment), there(of[other], moment))
        ]
        met = any(one == two or not one or not two for one, two in pairs)
        apart = any(one and two and one != two for one, two in pairs)
        daemon = any(one.startswith("DaemonSet/") for one in (name, other))
        if other != name and met and (daemon or not apart):
            found.append(f"shop/{key_of(other).partition('/')[2]}")
    return tuple(sorted(found))


@given(st.lists(STAYS, max_size=9))
def test_it_is_what_the_definition_says(
    stays: list[tuple[str, str, int | None, int | None]],
) -> None:
    inventory = build(stays)
    whereabouts = Whereabouts.of(inventory, capture(inventory))
    for name in NAMES:
        role = Role("shop", name, (key_of(name),), None)
        assert whereabouts.always_together(role) == expected(inventory, name)


def test_a_role_of_several_workloads_is_where_any_of_them_is() -> None:
    inventory = build([("a", "n1", None, None), ("b", "n2", None, None), ("d", "n1", None, None)])
    whereabouts = Whereabouts.of(inventory, capture(inventory))
    both = Role("shop", "both", ("Deployment/a", "Deployment/b"), None)
    assert whereabouts.always_together(both) == ()
    assert whereabouts.nodes(both) == {"n1", "n2"}
    alone = Role("shop", "a", ("Deployment/a",), None)
    assert whereabouts.always_together(alone) == ("shop/d",)


def test_without_times_every_pod_counts() -> None:
    inventory = build([("a", "n1", 0, 1), ("d", "n1", None, None)])
    role = Role("shop", "a", ("Deployment/a",), None)
    assert Whereabouts.of(inventory, Edges.empty()).always_together(role) == ("shop/d",)


def test_pods_on_the_network_of_their_node_are_seen() -> None:
    world = World().app("a", on=("n1",)).app("proxy", on=("n1",), host_network=True)
    inventory = world.build()
    role = Role("shop", "a", ("Deployment/a",), None)
    assert Whereabouts.of(inventory, Edges.empty()).always_together(role) == ()
