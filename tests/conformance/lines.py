"""What NetworkPolicy v1 says, line by line in our own words, and where else each line is proved.

``LINES`` maps the key of a line to the line; the cases that prove it name the key. ``TESTS`` maps
the key of a line that no truth table can show to tests (file, function).
"""

LINES: dict[str, str] = {
    # selection and peers
    "sel-empty": "An empty or missing podSelector picks all pods of the policy's namespace.",
    "sel-null-labels": "matchLabels: null is the same as an empty mapping.",
    "sel-own-ns": "A podSelector never reaches into another namespace.",
    "ns-missing": "A peer without namespaceSelector is about the policy's namespace.",
    "ns-empty": "An empty namespaceSelector is all namespaces.",
    "ns-only": "A namespaceSelector without podSelector is all pods of those namespaces.",
    "both-and": "Both selectors in one peer must both match.",
    "items-or": "Two peers of a list are alternatives.",
    "peer-nothing": "A peer with no field, and an ipBlock beside a selector, are refused.",
    "empty-from": "A missing or empty from or to is every peer, those outside included.",
    "empty-ports": "A missing or empty ports is every port of every protocol.",
    "rule-empty": "An empty rule admits everything.",
    "no-rules": "A direction in force without rules is isolated and admits nothing.",
    "ns-not-outside": "No selector matches an address outside.",
    "notin": "NotIn and DoesNotExist match what lacks the key; In and Exists do not.",
    "exists-empty-value": "An empty value is a value: the key is there.",
    "terms-and": "All terms of a selector must hold.",
    "ns-name-label": "A namespace carries its name as a label, which nobody can change.",
    "union": "Policies only add to each other.",
    "isolation-per-pod": "Only pods that a policy selects are isolated.",
    "isolation-per-direction": "Isolation in one direction says nothing about the other.",
    "both-sides": "A connection needs the client's egress and the server's ingress.",
    # policy types
    "types-default-ingress": "Without policyTypes, ingress is in force, rules or not.",
    "types-default-egress": "Without policyTypes, egress is in force if there is an egress rule.",
    "egress-empty-no-types": "egress: [] without policyTypes isolates nothing outward.",
    "egress-only-isolates-ingress": "Egress rules without policyTypes isolate ingress as well.",
    "types-ignored-rules": "Rules of a direction that policyTypes leaves out do not exist.",
    "types-order": "The order of policyTypes is free.",
    "types-two": "There are at most two policyTypes.",
    # ports
    "port-tcp-default": "A port without protocol is TCP, also if it is empty.",
    "port-all-of-protocol": "A protocol without port is all ports of that protocol only.",
    "named-destination": "A port's name is looked up at the server, for egress too.",
    "named-protocol": "A port's name counts only with its protocol.",
    "named-several": "One name may stand for several numbers.",
    "named-none": "A name that the server does not declare admits nothing there.",
    "named-outside": "A port's name never matches an address outside.",
    "endport": "endPort is included in the range.",
    "endport-valid": "endPort needs a number as port and is not below it; ports are 1 to 65535.",
    "sctp": "A rule for SCTP isolates TCP as well, and never admits it.",
    "icmp": "Other protocols have no meaning to policies: undetermined where isolated.",
    "dnat": "Ports and addresses are those behind the Service, unless chosen otherwise.",
    # ipBlock
    "block-pods": "An ipBlock holds pods by their addresses, unless chosen otherwise.",
    "block-nodes": "An ipBlock holds nodes by their addresses, unless chosen otherwise.",
    "except-own": "except cuts out of its own block.",
    "except-other-rule": "What except cuts out, another rule may admit.",
    "except-valid": "except lies strictly inside its block.",
    "host-bits": "Host bits of a CIDR are masked.",
    "snat": "The server's side judges the client by the address that it sees.",
    "families": "An IPv4 block holds no IPv6 address, and the reverse.",
    "dual-stack": "Blocks judge each address of a pod; selectors all of them.",
    "mapped": "A block of IPv4-mapped addresses is the IPv4 block, unless chosen otherwise.",
    "leading-zeros": "A CIDR with leading zeros, which readers take differently, is refused.",
    # identity and lifecycle
    "replies": "Only the opening of a connection is judged.",
    "from-own-node": "A pod's own node reaches it, unless chosen otherwise.",
    "to-own-node": "A pod reaches its own node only by a rule, unless chosen otherwise.",
    "itself": "A pod cannot block itself.",
    "hairpin": "Nor through a Service, unless chosen otherwise.",
    "host-subject": "No policy selects a host-network pod, unless chosen otherwise.",
    "host-peer": "No selector matches a host-network pod, unless chosen otherwise.",
    "finished": "A pod that has succeeded or failed is no pod to policies any more.",
    "ip-reuse": "Its address may belong to another pod by then.",
    "sidecars": "Ports of sidecars count as the pod's; those of other init containers do not.",
}

SEMANTICS = "tests/evaluator/test_semantics.py"
ROLLUP = "tests/inventory/test_rollup.py"
REFUSALS = "tests/dialects/kubernetes/test_refusals.py"
TESTS: dict[str, tuple[tuple[str, str], ...]] = {
    "peer-nothing": ((REFUSALS, "test_one_fault_at_the_field_with_the_value"),),
    "types-two": ((REFUSALS, "test_one_fault_at_the_field_with_the_value"),),
    "endport-valid": ((REFUSALS, "test_one_fault_at_the_field_with_the_value"),),
    "except-valid": ((REFUSALS, "test_one_fault_at_the_field_with_the_value"),),
    "leading-zeros": ((REFUSALS, "test_one_fault_at_the_field_with_the_value"),),
    "icmp": ((SEMANTICS, "test_icmp_is_undetermined_where_isolated_and_allowed_elsewhere"),),
    "snat": ((SEMANTICS, "test_a_masquerading_client_is_judged_by_whom_the_server_sees"),),
    "replies": ((SEMANTICS, "test_only_the_opener_is_judged"),),
    "sidecars": ((ROLLUP, "test_init_containers_listen_only_if_they_keep_running"),),
}
