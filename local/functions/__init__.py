"""Lambda's half of the twin: functions, their versions and aliases, and the environments that run them."""

from local.functions.functions import EnvironmentView, Functions

__all__ = ["EnvironmentView", "Functions"]
