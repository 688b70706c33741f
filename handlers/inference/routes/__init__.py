"""Paths to what is done: one module per protocol, each saying its own routes and nothing of the others'."""
