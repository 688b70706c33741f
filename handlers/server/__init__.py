"""The data plane as a server: for containers, Kubernetes and machines of one's own."""
