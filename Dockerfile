# Footnote with its page, on PyTorch without CUDA. Nothing is fetched while it runs.
#
#     docker build --tag footnote .
#     docker run --read-only --tmpfs /tmp --volume footnote:/data --publish 127.0.0.1:7860:7860 \
#         --env FOOTNOTE_AUTH=name:password footnote
#
# Others reach what listens in a container, so it starts with a login only. All that it keeps is in
# /data; settings may lie in /etc/footnote/config.toml.

ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
# Extras of pyproject.toml, as `llm,mcp`.
ARG EXTRAS=
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /source
COPY . .
RUN sh containers/install.sh /opt/footnote

FROM python:${PYTHON}
COPY --from=build /opt/footnote /opt/footnote
RUN useradd --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin footnote
ENV PATH=/opt/footnote/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    HF_HOME=/data/huggingface \
    XDG_CONFIG_HOME=/etc \
    XDG_DATA_HOME=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=2m --start-interval=2s \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener as b; b(ProxyHandler({})).open('http://127.0.0.1:7860/health/live', timeout=4)"]
ENTRYPOINT ["footnote"]
CMD ["serve", "--host", "0.0.0.0", "--port", "7860"]
