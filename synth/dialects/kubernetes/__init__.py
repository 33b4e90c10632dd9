"""NetworkPolicy v1 objects: read as an API server would accept them, and written so."""

from synth.dialects.kubernetes.kinds import OtherPolicy
from synth.dialects.kubernetes.names import policy_name
from synth.dialects.kubernetes.read import Policies, parse_policies, read_policies
from synth.dialects.kubernetes.write import to_document, to_json, to_yaml

__all__ = [
    "OtherPolicy",
    "Policies",
    "parse_policies",
    "policy_name",
    "read_policies",
    "to_document",
    "to_json",
    "to_yaml",
]
