# Two images of the same program: `slim`, and `full`, which adds torch for EMBEDDING_MODEL and RERANKER_MODEL.
#   docker build --tag madoguchi .
#   docker build --tag madoguchi:full --target full .

ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS packages
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 UV_PYTHON=/opt/madoguchi/bin/python
WORKDIR /src
COPY pyproject.toml requirements.lock ./
RUN uv venv --python /usr/local/bin/python /opt/madoguchi \
    && uv pip install --constraint requirements.lock --requirements pyproject.toml \
    --extra openai --extra azure --extra anthropic --extra google_genai --extra bedrock --extra ollama

FROM packages AS program
COPY README.md LICENSE NOTICE.md ./
COPY bot bot
COPY ingest ingest
COPY knowledge knowledge
RUN uv pip install --no-deps .

FROM program AS program-with-models
RUN uv pip install --torch-backend cpu --constraint requirements.lock --requirements pyproject.toml --extra models

FROM python:${PYTHON} AS runtime
# the font is for LINE's rich menu (madoguchi line setup)
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-vlgothic \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /data madoguchi \
    && install --directory --owner=10001 --group=10001 /data
ENV PATH=/opt/madoguchi/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    DATA_DIR=/data HOST=0.0.0.0 PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=3m --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=8)"]
CMD ["sh", "-c", "madoguchi-ingest; exec madoguchi serve"]

FROM runtime AS full
COPY --from=program-with-models /opt/madoguchi /opt/madoguchi

FROM runtime AS slim
COPY --from=program /opt/madoguchi /opt/madoguchi
