"""What runs in Lambda: one folder per function."""
