"""The local twin: the synthesized template, run on this machine."""
