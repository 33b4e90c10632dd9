"""Edges: records folded by who opened what to whom, mergeable in any order."""
