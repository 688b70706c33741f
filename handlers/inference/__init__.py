"""The data plane: an API Gateway event in, a prediction out. Lean: no web framework, no SDK, no validation library."""
