"""From a framework's model to ONNX: one file per framework, each imported only where it is asked for."""
