"""Stacks wire constructs: names, grants between siblings, outputs."""
