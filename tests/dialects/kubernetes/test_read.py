"""Files and folders of every kind of manifest."""

import json
from pathlib import Path

import pytest

from synth.dialects.kubernetes import OtherPolicy, Policies, parse_policies, read_policies
from synth.errors import InputError
from synth.policy import PolicySet
from tests.dialects.kubernetes.objects import network_policy

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec: {{podSelector: {{}}}}
"""


def names(policies: Policies) -> list[str]:
    """Return the policies' keys as text."""
    return [str(policy) for policy in policies.policies]


def written(path: Path, text: str) -> Path:
    """Return the path, holding the text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_folder_is_searched_to_the_bottom_for_yaml_and_json(tmp_path: Path) -> None:
    a = written(tmp_path / "b" / "deep" / "a.yaml", POLICY.format(name="a"))
    b = written(tmp_path / "b.YML", POLICY.format(name="b"))
    c = written(tmp_path / "c.json", json.dumps(network_policy(name="c")))
    written(tmp_path / "d.txt", "kind: [")
    (tmp_path / "e.yaml").mkdir()
    found = read_policies([tmp_path])
    assert names(found) == ["shop/a", "shop/b", "shop/c"]
    assert found.files == tuple(sorted(map(str, (a, b, c))))
    assert found.elsewhere == ()


def test_the_order_of_paths_makes_no_difference_and_each_file_is_read_once(tmp_path: Path) -> None:
    a = written(tmp_path / "a.yaml", POLICY.format(name="a"))
    b = written(tmp_path / "b.yaml", POLICY.format(name="b"))
    (tmp_path / "c.yaml").symlink_to(a)
    one = read_policies([a, b])
    assert names(one) == ["shop/a", "shop/b"]
    assert read_policies([b, a]) == one
    assert read_policies([tmp_path, b, tmp_path]) == one


def test_a_file_is_read_whatever_its_suffix(tmp_path: Path) -> None:
    as_json = written(tmp_path / "a", "\n " + json.dumps(network_policy(name="a")))
    as_yaml = written(tmp_path / "b.txt", POLICY.format(name="b"))
    flow = written(tmp_path / "c.yaml", "{kind: Pod} # not JSON\n---\n" + POLICY.format(name="c"))
    assert names(read_policies([as_json, as_yaml, flow])) == ["shop/a", "shop/b", "shop/c"]


def test_json_values_one_after_another(tmp_path: Path) -> None:
    texts = [json.dumps(network_policy(name=name), indent=1) for name in "ab"]
    found = read_policies([written(tmp_path / "a.json", "\n\n".join(texts) + "\n")])
    assert names(found) == ["shop/a", "shop/b"]


def test_several_documents_comments_and_empty_ones(tmp_path: Path) -> None:
    text = "---\n# none\n---\n" + "---\n".join(POLICY.format(name=name) for name in "ab") + "---\n"
    assert names(read_policies([written(tmp_path / "a.yaml", text)])) == ["shop/a", "shop/b"]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    for suffix, text in ((".yaml", POLICY.format(name="a")), (".json", "{}")):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert names(read_policies([tmp_path])) == ["shop/a"]


@pytest.mark.parametrize("text", ["", "\n", "# none", "---", "---\n---\n", "web", "- a\n- b", "3"])
def test_what_holds_no_object_is_passed_over(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "a.yaml", text)
    assert read_policies([path]) == Policies(PolicySet(), (), (str(path),))


def test_an_empty_folder_and_no_path_hold_nothing(tmp_path: Path) -> None:
    assert read_policies([tmp_path]) == read_policies([]) == Policies()


OTHERS: list[object] = [
    {"apiVersion": "v1", "kind": "Pod", "spec": {"ports": "junk"}},
    {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"},
    {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass"},
    {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR"},
    {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress"},
    {"apiVersion": "networking.k8s.io/v1beta1", "kind": "Ingress"},
    {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"},
    {"apiVersion": "cilium.io/v2", "kind": "CiliumEndpoint"},
    {"apiVersion": "cilium.io/v2", "kind": ["CiliumNetworkPolicy"]},
    {"resources": ["a.yaml"], "kind": None},
    {"kind": "PodList", "items": "junk"},
    {"kind": "AllowList", "apiVersion": "v1"},
    {"apiVersion": 5, "kind": 5, "metadata": 5},
    {True: "on"},
    [{"op": "add"}],
    None,
]


@pytest.mark.parametrize("document", OTHERS)
def test_objects_of_other_kinds_are_passed_over(document: object) -> None:
    assert parse_policies([document], "dump") == Policies(PolicySet(), (), ("dump",))


@pytest.mark.parametrize(
    ("api_version", "kind", "group"),
    [
        ("cilium.io/v2", "CiliumNetworkPolicy", "cilium.io"),
        ("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "cilium.io"),
        ("projectcalico.org/v3", "NetworkPolicy", "projectcalico.org"),
        ("crd.projectcalico.org/v1", "NetworkPolicy", "crd.projectcalico.org"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy", "crd.projectcalico.org"),
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "policy.networking.k8s.io"),
        ("policy.networking.k8s.io/v1", "BaselineAdminNetworkPolicy", "policy.networking.k8s.io"),
        ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "policy.networking.k8s.io"),
        ("crd.antrea.io/v1beta1", "NetworkPolicy", "crd.antrea.io"),
        ("security.istio.io/v1", "AuthorizationPolicy", "security.istio.io"),
    ],
)  # fmt: skip
def test_policies_of_other_apis_are_named(api_version: str, kind: str, group: str) -> None:
    document = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "shop"},
        "spec": {"whatever": 1},
    }
    found = parse_policies([document, document], "dump")
    assert found.elsewhere == (OtherPolicy(group, kind, "shop", "x", "dump"),)
    assert str(found.elsewhere[0]) == f"{group} {kind} shop/x"
    assert not found.policies


def test_policies_of_other_apis_without_namespace_or_valid_name() -> None:
    cluster = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumClusterwideNetworkPolicyList",
        "items": [{"metadata": {"name": "b"}}, {"metadata": {"name": 5}}, {}, None],
    }
    texts = [str(other) for other in parse_policies([cluster], "dump").elsewhere]
    kind = "cilium.io CiliumClusterwideNetworkPolicy"
    unnamed = [f"{kind} document 1 items[{number}]" for number in (1, 2)]
    assert texts == [f"{kind} b", *unnamed]


def test_lists() -> None:
    bare = {"metadata": {"name": "bare"}, "spec": {}}
    documents: list[object] = [
        {"apiVersion": "v1", "kind": "List", "items": [network_policy(), None, {"kind": "Pod"}]},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicyList", "items": [bare]},
        {"kind": "List", "items": [{"kind": "List", "items": [network_policy(name="deep")]}]},
        {"kind": "List", "items": None},
        {"kind": "List"},
        {"apiVersion": "v1", "kind": "PodList", "items": [{"spec": 1}]},
    ]
    found = parse_policies(documents, "dump")
    assert names(found) == ["default/bare", "shop/db", "shop/deep"]


@pytest.mark.parametrize("kind", ["List", "NetworkPolicyList"])
def test_a_list_has_a_list_of_items(kind: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_policies([{"kind": kind, "items": {}}], "dump")
    assert raised.value.faults[0].place == "dump: document 1 items"


def test_faults_in_lists_are_placed() -> None:
    nameless = {**network_policy(), "metadata": {}}
    with pytest.raises(InputError) as raised:
        parse_policies([None, {"kind": "List", "items": [nameless, nameless]}], "dump")
    places = [fault.place for fault in raised.value.faults]
    assert places == [f"dump: document 2 items[{number}] metadata.name" for number in (0, 1)]


def test_two_policies_of_one_name_name_both_files(tmp_path: Path) -> None:
    a = written(tmp_path / "a.yaml", POLICY.format(name="same"))
    b = written(tmp_path / "b.yaml", POLICY.format(name="same"))
    with pytest.raises(InputError) as raised:
        read_policies([b, a])
    (fault,) = raised.value.faults
    assert fault.place == f"{b}: shop/same"
    assert str(a) in fault.got


def test_the_faults_of_all_files_are_raised_together(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml", POLICY.format(name="A"))
    written(tmp_path / "b.yaml", "a: [")
    written(tmp_path / "c.json", "{,}")
    written(tmp_path / "d.yaml", POLICY.format(name="d"))
    with pytest.raises(InputError) as raised:
        read_policies([tmp_path, tmp_path / "missing"])
    places = [fault.place.removeprefix(f"{tmp_path}/") for fault in raised.value.faults]
    assert places == ["missing", "a.yaml: document 1 metadata.name", "b.yaml:2", "c.json:1"]


def test_yaml_as_kubectl_reads_it(tmp_path: Path) -> None:
    text = POLICY.format(name="a") + (
        "  # anchors, merges, block scalars, tags\ncommon: &common {role: db, tier: a}\n"
    )
    text = text.replace("spec: {podSelector: {}}\n", (
        "spec:\n"
        "  podSelector:\n"
        "    matchLabels: &labels\n"
        "      role: &role db\n"
        "      'on': 'no'\n"
        "      date: 2024-01-01\n"
        "      number: !!str 80\n"
        "      block: |-\n"
        "        x\n"
        "  ingress:\n"
        "  - from:\n"
        "    - podSelector:\n"
        "        matchLabels:\n"
        "          <<: *labels\n"
        "          role: *role\n"
        "          date: other\n"
    )).split("  # anchors")[0]  # fmt: skip
    (policy,) = read_policies([written(tmp_path / "a.yaml", text)]).policies
    assert str(policy.pods) == "block=x,date=2024-01-01,number=80,on=no,role=db"
    assert policy.ingress is not None
    expected = "pods block=x,date=other,number=80,on=no,role=db on every port"
    assert str(policy.ingress[0]) == expected
