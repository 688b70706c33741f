"""Signatures of versions: a DSSE envelope with an in-toto statement beside each manifest.

The publisher signs with `signer_for`; whoever reads checks with `Trust`. Reading needs `cryptography` alone, and only
where a signature is asked for.
"""
