"""The vocabulary of Warmstart: pure values, the one error tree, and the wire protocols."""

__version__ = "0.1.0"
