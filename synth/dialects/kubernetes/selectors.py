"""Label selectors and label maps, checked."""

from synth.dialects.kubernetes.names import is_label_key, is_label_value
from synth.dialects.kubernetes.nodes import Node
from synth.policy import Operator, Requirement, Selector

A_KEY = (
    "a label key: a name of at most 63 letters, digits, '-', '_' or '.', "
    "after an optional DNS prefix and '/'"
)
A_VALUE = (
    "a label value: empty, or at most 63 letters, digits, '-', '_' or '.', "
    "a letter or digit at both ends"
)


def read_selector(node: Node) -> Selector:
    """Return the selector; what is faulty is left out of it."""
    fields = node.fields("matchLabels", "matchExpressions")
    equalities = Selector.equal(
        read_labels(fields["matchLabels"]) if "matchLabels" in fields else {}
    )
    if "matchExpressions" not in fields:
        return equalities
    terms = (_requirement(term) for term in fields["matchExpressions"].items())
    return equalities & Selector.of(term for term in terms if term is not None)


def read_labels(node: Node) -> dict[str, str]:
    """Return the labels, sorted by key."""
    labels = {}
    for key, value in node.texts():
        if not is_label_key(key):
            node.refuse(A_KEY, got=repr(key[:100]))
        if not is_label_value(str(value.value)):
            value.refuse(A_VALUE)
        labels[key] = str(value.value)
    return dict(sorted(labels.items()))


def _requirement(node: Node) -> Requirement | None:
    fields = node.fields("key", "operator", "values")
    if not isinstance(node.value, dict):
        return None
    key = _key(node, fields)
    operator = _operator(node, fields)
    values = _values(fields["values"]) if "values" in fields else ()
    if key is None or operator is None or values is None:
        return None
    if operator.takes_values and not values:
        node.at("values", None).refuse(f"at least one value for {operator.value}", got="none")
        return None
    if values and not operator.takes_values:
        fields["values"].refuse(f"no values for {operator.value}")
        return None
    return Requirement(key, operator, values)


def _key(node: Node, fields: dict[str, Node]) -> str | None:
    if "key" not in fields:
        node.at("key", None).refuse(A_KEY, got="nothing")
        return None
    key = fields["key"].text()
    if key is not None and not is_label_key(key):
        fields["key"].refuse(A_KEY)
    return key


def _operator(node: Node, fields: dict[str, Node]) -> Operator | None:
    expected = f"one of {', '.join(Operator)}"
    if "operator" not in fields:
        node.at("operator", None).refuse(expected, got="nothing")
        return None
    text = fields["operator"].value
    if not isinstance(text, str) or text not in tuple(Operator):
        fields["operator"].refuse(expected)
        return None
    return Operator(text)


def _values(node: Node) -> tuple[str, ...] | None:
    """Return the values; None if one of them is faulty."""
    faulty = not isinstance(node.value, list) or None in node.value
    values = []
    for item in node.items():
        text = item.text()
        if text is not None and not is_label_value(text):
            item.refuse(A_VALUE)
        values.append(text)
    texts = tuple(text for text in values if text is not None)
    return None if faulty or len(texts) < len(values) else texts
