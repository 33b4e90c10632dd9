"""Roles: who has one, what it is called, and the universe its selector is exact in."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from synth.inventory.model import Inventory
from synth.learner.roles import find_roles
from tests.learner.worlds import ACCEPT, EGRESS, INGRESS, Contact, World, shop, study


def selectors(world: World | Inventory) -> dict[str, str]:
    """Return role → selector, as text."""
    inventory = world.build() if isinstance(world, World) else world
    return {str(role): str(role.selector) for role in find_roles(inventory, inventory.endpoints)}


def test_the_owners_own_labels_name_the_role() -> None:
    world = World().app("web", "role=web,app=shop", match="role=web").app("db", "role=db,app=shop")
    assert selectors(world) == {"shop/web": "role=web", "shop/db": "role=db"}


def test_the_owners_own_labels_are_not_used_where_they_pick_another_workload() -> None:
    world = World().app("web", "app=shop,role=web", match="app=shop").app("db", "app=shop,role=db")
    assert selectors(world)["shop/web"] == "role=web"


def test_other_namespaces_do_not_matter() -> None:
    assert selectors(World().app("web").app("bank/web")) == {
        "shop/web": "app=web",
        "bank/web": "app=web",
    }


def test_a_template_scaled_to_zero_is_an_outsider_and_has_a_role() -> None:
    world = World().app("web", "app=x,role=web", match="app=x")
    world.app("idle", "app=x,role=idle", replicas=0)
    assert selectors(world) == {"shop/web": "role=web", "shop/idle": "role=idle"}


def test_a_cron_job_between_runs_is_an_outsider() -> None:
    world = World().app("web", "app=x,role=web", match="app=x")
    world.app("nightly", "app=x", kind="CronJob", replicas=0)
    world.pod("nightly", "app=x,role=night,job-name=nightly-1", start=0, end=9)
    found = selectors(world)
    assert found["shop/web"] == "role=web"
    assert found["shop/nightly"] == "app=x,role notin (web)"


def test_a_pod_of_the_past_is_an_outsider_for_others() -> None:
    world = World().app("web", "app=web", match="app=web").app("api", "app=api,tier=1", replicas=1)
    world.pod("api", "app=web,tier=1", start=0, end=9)
    assert selectors(world)["shop/web"] == "app=web,!tier"


def test_a_pod_of_the_past_is_no_member_of_its_own_role() -> None:
    world = World().app("web", "app=web").pod("web", "app=frontend", start=0, end=9)
    assert selectors(world)["shop/web"] == "app=web"


def test_the_last_pods_of_a_relabelled_template_are_no_members() -> None:
    world = World().app("web", "app=web", replicas=0).pod("web", "app=frontend", start=0, end=9)
    assert selectors(world)["shop/web"] == "app=web"


def test_labels_that_are_injected_into_pods_keep_their_template_a_member() -> None:
    world = World().app("web", "app=web", replicas=0).pod("web", "app=web,mesh=on", end=9)
    world.app("api", "app=api")
    assert selectors(world)["shop/web"] == "app=web"


def test_pods_of_a_rollout_under_way_are_all_members() -> None:
    world = World().app("web", "app=web,rev=2").pod("web", "app=web,rev=1").app("api", "app=api")
    assert selectors(world)["shop/web"] == "app=web"


def test_pods_of_a_workload_that_is_gone_are_outsiders() -> None:
    world = World().app("web", "app=x,role=web", match="app=x")
    world.app("old", "app=x,role=old", exists=False)
    assert selectors(world) == {"shop/web": "role=web"}


def test_pods_without_an_address_count() -> None:
    world = World().app("web", "app=x,role=web", match="app=x")
    world.app("slow", "role=slow", replicas=0).pod("slow", "app=x,role=slow", addresses=())
    assert selectors(world)["shop/web"] == "role=web"


def test_host_network_workloads_are_neither_subjects_nor_pod_peers() -> None:
    world = shop().app("agent", kind="DaemonSet", host_network=True)
    lesson = study(world, Contact("node n1", "web", 80), Contact("web", "node n1", 9100))
    assert "shop/agent" not in map(str, lesson.learned.roles)
    assert lesson.rules("web", INGRESS) == ["192.168.1.0/24 on TCP 80"]
    assert lesson.rules("web", EGRESS)[0] == "192.168.1.0/24 on TCP 9100"


def test_system_namespaces_are_peers_and_not_subjects() -> None:
    contacts = Contact("web", "api", 5000), Contact("kube-system/coredns", "web", 80)
    lesson = study(shop(), *contacts)
    assert {str(one.role) for one in lesson.learned.subjects} == {"shop/web", "shop/api"}
    assert lesson.rules("web", INGRESS) == [
        "pods k8s-app=kube-dns of namespaces kubernetes.io/metadata.name=kube-system on TCP 80"
    ]
    assert not any(policy.namespace == "kube-system" for policy in lesson.learned.policies)


def test_system_namespaces_are_subjects_where_that_is_wanted() -> None:
    lesson = study(shop(), Contact("web", "kube-system/coredns", 53), include_system=True)
    assert lesson.subject("kube-system/coredns", INGRESS) is not None


def test_two_workloads_alike_are_a_question_and_nothing_is_ready() -> None:
    world = shop().app("one", "app=same", match="app=same").app("two", "app=same")
    lesson = study(world, Contact("one", "db", 3306), Contact("two", "db", 3306))
    assert selectors(world)["shop/one"] == "None"
    assert "no selector picks exactly the pods of shop/one" in " ".join(
        lesson.questions("selector")
    )
    assert len(lesson.learned.policies) == 0
    assert [policy.name for policy in lesson.learned.pending] == ["db"]


def test_no_answer_makes_a_role_without_a_selector_ready() -> None:
    world = shop().app("one", "app=same").app("two", "app=same")
    lesson = study(world, Contact("one", "db", 3306), assume=ACCEPT)
    assert len(lesson.learned.policies) == 0
    assert lesson.questions("selector")


def test_one_name_of_several_kinds_stays_apart() -> None:
    world = World().app("web", "app=a").app("web", "app=b", kind="StatefulSet")
    world.app("web-deployment", "app=c")
    assert selectors(world) == {
        "shop/web-deployment": "app=c",
        "shop/web-deployment-x": "app=a",
        "shop/web-statefulset": "app=b",
    }


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_inventory_does_not_matter(random: object) -> None:
    world = shop().app("a", "app=x,tier=1").app("b", "app=x,tier=2").pod("b", "app=y", end=3)
    inventory = world.build()
    pods, workloads = list(inventory.pods), list(inventory.workloads)
    for some in (pods, workloads):
        random.shuffle(some)  # type: ignore[attr-defined]
    other = replace(inventory, pods=tuple(pods), workloads=tuple(workloads))
    assert selectors(other) == selectors(inventory)


def test_pods_whose_labels_were_changed_within_the_window_block_nothing() -> None:
    world = shop().app("blue", "app=blue", replicas=1).pod("blue", "app=azure", start=0, end=9)
    lesson = study(world, Contact("blue#0", "db", 3306), Contact("blue#1", "api", 5000))
    assert lesson.rules("db", INGRESS) == ["pods app=blue on TCP 3306"]
    assert lesson.rules("api", INGRESS) == ["pods app=blue on TCP 5000"]
    words = {(server, word) for (_, server, _), (word, _) in lesson.screened().items()}
    assert words == {("shop/db", "retired"), ("shop/api", "accepted")}
