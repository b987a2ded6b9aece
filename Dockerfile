# Three images: docker build --target web . The image predictions is a worker without what only files need.
# `python -m ecs push` pins the base image: --build-arg PYTHON_IMAGE=python:3.13-slim-bookworm@sha256:...
ARG PYTHON_IMAGE=python:3.13-slim-bookworm
ARG VALKEY_IMAGE=valkey/valkey:8-bookworm

# The store, as it is: `python -m ecs push` copies it to the registry of a deployment, where its tag never moves.
FROM ${VALKEY_IMAGE} AS redis

# The final images copy the virtual environment as a whole, without the tools that built it.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_CACHE_DIR=/var/.cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/venv

FROM build AS web-packages
RUN --mount=type=cache,target=/var/.cache/pip \
    --mount=type=bind,source=requirements/web.txt,target=/requirements.txt \
    pip --python /opt/venv install --require-hashes --requirement /requirements.txt

# Without dependencies, since scipy is none of ours: only XGBoost's Python layer imports it, and workers call XGBoost's
# library itself. Of AWS they need S3 and what tells who they are. No package needs its tests, headers or stubs at work.
FROM build AS predictions-packages
RUN --mount=type=cache,target=/var/.cache/pip \
    --mount=type=bind,source=requirements/predictions.txt,target=/requirements.txt \
    pip --python /opt/venv install --no-deps --require-hashes --requirement /requirements.txt \
 && find /opt/venv/lib/python3.*/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
    ! -name s3 ! -name sso ! -name sso-oidc ! -name sts -exec rm -r {} + \
 && find /opt/venv/lib \( -name f2py -o -name include -o -name testing -o -name tests -o -name '*.pyi' \) -prune -exec rm -r {} +

FROM predictions-packages AS worker-packages
RUN --mount=type=cache,target=/var/.cache/pip \
    --mount=type=bind,source=requirements/worker.txt,target=/requirements.txt \
    pip --python /opt/venv install --no-deps --require-hashes --requirement /requirements.txt \
 && find /opt/venv/lib \( -name f2py -o -name include -o -name testing -o -name tests -o -name '*.pyi' \) -prune -exec rm -r {} +

# Compile here, because containers have a read-only file system. Hash-based bytecode does not depend on the times of
# source files, and chmod makes the image independent of the umask with which the repository was cloned.
FROM build AS web-source
COPY jobs /app/jobs
# Web describes models, and scores nothing.
COPY model/__init__.py /app/model/
COPY model/bundles /app/model/bundles
COPY model/description /app/model/description
COPY model/registry /app/model/registry
COPY model/tables/__init__.py model/tables/dialect.py /app/model/tables/
COPY ops /app/ops
COPY web /app/web
RUN chmod -R u=rwX,go=rX /app && python -m compileall -q --invalidation-mode unchecked-hash /app

FROM build AS guide
RUN --mount=type=cache,target=/var/.cache/pip \
    --mount=type=bind,source=requirements/docs.txt,target=/requirements.txt \
    pip --python /opt/venv install --require-hashes --requirement /requirements.txt
COPY docs /docs
COPY model/description/palette.css /model/description/
COPY web/page/files/icon.svg /web/page/files/
RUN /opt/venv/bin/sphinx-build -q -W --keep-going -b html -d /tmp/guide -c /docs/site /docs /guide \
 && chmod -R u=rwX,go=rX /guide

FROM build AS worker-source
COPY jobs /app/jobs
COPY model /app/model
COPY ops /app/ops
COPY worker /app/worker
# The steps alone: a worker needs no client.
COPY client/paygrade/__init__.py client/paygrade/errors.py /app/paygrade/
COPY client/paygrade/steps /app/paygrade/steps
RUN chmod -R u=rwX,go=rX /app && python -m compileall -q --invalidation-mode unchecked-hash /app

# What the final images have of the base image: the interpreter, /etc, and the files of these packages, which a service
# needs, or someone who looks into it. Python's library is compiled beforehand, since containers cannot write. Scanners find
# the packages in Debian's list. There is no package manager, no perl and no setuid program.
FROM ${PYTHON_IMAGE} AS parts
ARG PACKAGES="base-files base-passwd bash ca-certificates coreutils dash findutils gcc-12-base grep libacl1 libattr1 libbz2-1.0 \
    libc-bin libc6 libffi8 libgcc-s1 libgmp10 liblzma5 libpcre2-8-0 libselinux1 libssl3 libstdc++6 libtinfo6 libuuid1 \
    netbase openssl tzdata zlib1g"
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# A new volume takes its owner from the folder over which it is mounted.
RUN groupadd --gid 10001 paygrade \
 && useradd --uid 10001 --gid paygrade --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin paygrade \
 && install --directory --owner=paygrade --group=paygrade /files
RUN mkdir --parents /parts/usr/{bin,lib,lib64,sbin} /parts/var/lib/dpkg \
 && dpkg-query --status $PACKAGES > /parts/var/lib/dpkg/status \
 && { dpkg-query --listfiles $PACKAGES; find /etc /files; } | grep --invert-match /gconv/ | sort --unique \
  | tar --create --no-recursion --ignore-failed-read --warning no-failed-read --files-from - | tar --extract --directory /parts
WORKDIR /usr/local
RUN rm -r include lib/pkgconfig bin/*pip* bin/*config bin/*pydoc* lib/python3.*/{config-*,ensurepip,pydoc_data,site-packages/*} \
 && rm -rf bin/idle* lib/python3.*/{idlelib,tkinter,turtledemo} \
 && python -m compileall -q --invalidation-mode unchecked-hash lib

FROM scratch AS base
COPY --from=parts /parts /
COPY --from=parts /usr/local /usr/local
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PAYGRADE_DATA=/tmp/paygrade
WORKDIR /app
USER 10001:10001

# Both health checks test whether the service can work; the engine itself sees whether the process lives.
# They use bash, because starting Python takes ten to fifty times as much CPU.
FROM base AS web
COPY --link --from=web-packages /opt/venv /opt/venv
COPY --link --from=guide /guide /app/web/guide/site
COPY --link --from=web-source /app /app
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 CMD \
    ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000; printf 'GET /readyz HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3; read -r answer <&3; [[ $answer == *' 200 '* ]]"]
CMD ["python", "-m", "web", "--host", "0.0.0.0"]

FROM base AS any-worker
# The worker touches the file every second once the golden rows have passed.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 CMD \
    ["bash", "-c", "[[ -n $(find \"$PAYGRADE_DATA/worker.heartbeat\" -newermt '10 seconds ago') ]]"]
CMD ["python", "-m", "worker"]

FROM any-worker AS predictions
ENV PAYGRADE_QUEUES=predictions
COPY --link --from=predictions-packages /opt/venv /opt/venv
COPY --link --from=worker-source /app /app

FROM any-worker AS worker
COPY --link --from=worker-packages /opt/venv /opt/venv
COPY --link --from=worker-source /app /app
