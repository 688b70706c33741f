# syntax=docker/dockerfile:1
# `warmstart serve` as an image: no shell, no package manager, not root, nothing written but below /tmp.
#
#   docker build -t warmstart:0.1.0 .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -v "$PWD/models:/models:ro" warmstart:0.1.0

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/serve.txt requirements/serve.txt
# Wheels alone: nothing is compiled here, so what is built on one machine is built on every other.
RUN python -m pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --no-deps --require-hashes --requirement requirements/serve.txt --target /packages
COPY warmstart /packages/warmstart
COPY model_store /packages/model_store
COPY handlers /packages/handlers
# The file system is read-only later: without bytecode every start would compile all of it again.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /packages

# Python of the same minor version as above, and what it links to.
FROM gcr.io/distroless/python3-debian12:nonroot
COPY --from=build /packages /packages
ENV PYTHONPATH=/packages \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    TMPDIR=/tmp \
    WARMSTART_HOST=0.0.0.0 \
    WARMSTART_STORE_URL=file:///models
EXPOSE 8080
USER 65532:65532
# All settings are variables: docs/serve.md. The word `serve` that SageMaker adds is not read.
ENTRYPOINT ["/usr/bin/python3", "-P", "-m", "handlers.server"]
