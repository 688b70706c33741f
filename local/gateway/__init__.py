"""API Gateway's front on the twin: keys, throttles, validators and the Lambda proxy, as a stage declares them.

`read_api` reads a deployed stage back through boto3, `Gateway` turns one request into one answer
without I/O of its own, and `serve` puts it on a port.
"""
