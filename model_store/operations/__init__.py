"""What is done with versions that are published: roll back, compare, tag, copy, verify, prune."""
