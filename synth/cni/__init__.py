"""What network plugins make of NetworkPolicies: profiles with sources, recognition, review."""
