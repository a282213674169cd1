# One image for all services: the command says which, and what it does.
#     docker run sagaline order_service run
# No compiler, no root; it writes nowhere but /tmp.

FROM python:3.13-slim AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /sagaline
COPY requirements/service.txt /tmp/
# Wheels only: nothing is compiled, here neither.
RUN pip --python /sagaline/bin/python install --require-hashes --only-binary :all: \
        --requirement /tmp/service.txt
COPY . /sagaline/app
# Compiled ahead, since a process may not write beside its sources. What was changed is another
# image, so nobody looks whether a source is newer.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /sagaline

FROM python:3.13-slim
COPY --from=packages /sagaline /sagaline
ENV PATH=/sagaline/bin:$PATH \
    PYTHONPATH=/sagaline/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SAGALINE_HTTP_HOST=0.0.0.0 \
    SAGALINE_OPERATOR_HOST=0.0.0.0
WORKDIR /sagaline/app
USER 10001:10001
# A service ends what it has in hand at SIGTERM, within SAGALINE_SHUTDOWN_GRACE_MS and what its relay
# takes. Give it 10 s, and an init process, since a program that is number 1 is deaf until it listens.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/sagaline/app/deploy/image/ready"]
ENTRYPOINT ["python", "-m"]
CMD ["gateway_service", "run"]
