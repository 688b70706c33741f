"""The registry of models on S3: manifests, versions, aliases."""
