"""Constructs: one resource idea each, values in, resources out."""
