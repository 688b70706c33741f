"""The `warmstart` command."""
