"""The control plane: list models, read manifests, move aliases. FastAPI, authorized by IAM."""
