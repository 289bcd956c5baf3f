# syntax=docker/dockerfile:1
# The upload page (`serve`, the default) or the nightly folder: docs/install.md shows both.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --constraint constraints.txt --wheel-dir /wheels .

FROM python:3.12-slim
COPY --from=build /wheels /wheels
# The wheels are those of constraints.txt.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --no-index --find-links /wheels bulkupdate \
    && rm -rf /wheels \
    && useradd --create-home --uid 10001 bulkupdate \
    && install -d -o bulkupdate -g bulkupdate -m 700 /state /work
USER 10001
WORKDIR /work
ENV BULKUPDATE_STATE_DIR=/state PYTHONUNBUFFERED=1
VOLUME ["/state", "/work"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["bulkupdate"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--trust-proxy"]
