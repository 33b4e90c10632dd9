"""Certificates: two opinions on who a selector picks, and that a wrong selector is noticed."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import Fault
from synth.inventory.model import Inventory
from synth.learner.roles import find_roles
from synth.policy.selector import Operator, Requirement, Selector
from synth.proof.certificates import check_selectors
from tests.learner.worlds import World
from tests.proof.worlds import random_world

KEYS, VALUES = ("app", "tier", "version"), ("a", "b")


def check(inventory: Inventory, **selectors: Selector) -> tuple[Fault, ...]:
    """Return the faults once the named roles have these selectors."""
    roles = [
        replace(role, selector=selectors.get(role.name, role.selector))
        for role in find_roles(inventory, inventory.endpoints)
    ]
    return check_selectors(roles, inventory)


def two() -> World:
    return World().app("web", "app=web,tier=x").app("api", "app=api,tier=x")


def test_both_opinions_agree() -> None:
    assert check(two().build()) == ()


def test_a_widened_selector_is_noticed() -> None:
    (fault,) = check(two().build(), web=Selector.equal({"tier": "x"}))
    assert (fault.place, fault.got) == (
        "selector tier=x of shop/web",
        "with pod api-1, with template of Deployment/api",
    )


def test_a_selector_that_misses_a_pod_is_noticed() -> None:
    inventory = two().pod("web", "app=web,tier=y").build()
    (fault,) = check(inventory, web=Selector.equal({"tier": "x", "app": "web"}))
    assert fault.got == "without pod web-2"


def test_an_empty_selector_is_noticed() -> None:
    assert check(two().build(), web=Selector())


def test_a_selector_that_picks_a_template_scaled_to_zero_is_noticed() -> None:
    inventory = two().app("idle", "app=idle,tier=x", replicas=0).build()
    wide = Selector((Requirement("app", Operator.IN, ("web", "idle")),))
    (fault,) = check(inventory, web=wide)
    assert fault.got == "with template of Deployment/idle"


def test_a_selector_that_picks_a_pod_of_the_past_is_noticed() -> None:
    inventory = two().pod("api", "app=web,tier=old", end=9).build()
    assert check(inventory) == ()
    (fault,) = check(inventory, web=Selector.equal({"app": "web"}))
    assert fault.got == "with pod api-2"


def test_old_labels_of_the_role_itself_are_dont_care() -> None:
    assert check(two().pod("web", "app=past", end=9).build()) == ()


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["one", "two", "three"]),
            st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=3),
            st.sampled_from([None, None, 5, 9]),
        ),
        max_size=7,
    )
)
def test_both_opinions_agree_on_every_small_namespace(
    pods: list[tuple[str, dict[str, str], int | None]],
) -> None:
    world = World()
    for name in ("one", "two", "three"):
        world.app(name, "app=a" if name == "one" else f"app=b,tier={name}", replicas=0)
    for name, labels, end in pods:
        world.pod(name, ",".join(f"{key}={value}" for key, value in labels.items()), end=end)
    assert check(world.build()) == ()


@given(st.randoms(use_true_random=False))
def test_both_opinions_agree_on_random_worlds(random: Random) -> None:
    assert check(random_world(random).build()) == ()
