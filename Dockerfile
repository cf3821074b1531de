# syntax=docker/dockerfile:1
# The server in a container: docs/serving.md says how it is run. Runs, versions and settings are in /data.

FROM python:3.13-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY core core
COPY plugins plugins
COPY apps apps
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
# Extras of pyproject.toml, separated by commas: --build-arg EXTRAS=mcp,hub
ARG EXTRAS=mcp
# What RDKit draws molecules with. Their versions are those of the base image's distribution.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libexpat1 libxext6 libxrender1 \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir "$(echo /wheels/*.whl)[${EXTRAS}]"
RUN install --directory --owner=10001 --group=10001 /data
USER 10001:10001
ENV HOME=/data LAYERWISE_HOME=/data LAYERWISE_CACHE=/data/cache PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["layerwise"]
CMD ["serve", "--host", "0.0.0.0", "--port", "7860", "--no-browser", "--log-format", "json", "--drain", "5", "--mcp"]
