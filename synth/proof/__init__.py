"""The proofs: replay, selector certificates, and the values that commands return."""
