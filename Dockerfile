# The gateway as an image. NOT BUILT by this project's tests (no Docker where they run); docker-compose.yml uses it.
FROM python:3.12-slim AS wheel
WORKDIR /src
COPY requirements/all.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/all.txt
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.12-slim AS gateway
ENV PYTHONUNBUFFERED=1
COPY requirements/run.txt /tmp/run.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/run.txt
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels pip install --no-cache-dir --no-deps /wheels/*.whl
WORKDIR /app
COPY mappings mappings
COPY connect connect
RUN useradd --no-create-home --uid 10001 gateway
USER gateway
ENTRYPOINT ["gateway"]
CMD ["run"]
