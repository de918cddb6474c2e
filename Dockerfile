# syntax=docker/dockerfile:1

# An image with the gischat-relay binary, the few shared libraries it needs, and one user.
# No shell, no package manager. The pages, the API documentation and the Rust plugins are inside the binary.
#
#   docker build -t gischat-relay .
#   docker run --rm -p 127.0.0.1:8000:8000 -e ROOMS=QGIS,QField gischat-relay

# The Rust plugins. They become part of the binary, so they are built first, with the usual script. WebAssembly is
# platform-independent, so they are built on the build platform even for images of other platforms.
FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS plugins
WORKDIR /src
RUN rustup target add wasm32-unknown-unknown
COPY sdk sdk
COPY plugins plugins
RUN --mount=type=cache,id=gischat-relay-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=gischat-relay-plugins,target=/target,sharing=locked \
    set -eu; \
    find sdk plugins -type f -exec touch {} +; \
    CARGO_TARGET_DIR=/target sh plugins/build-rust.sh; \
    for code in plugins/*/filter.wasm; do \
        install -D -m 0644 "$code" "/out/$code"; \
    done

FROM rust:1.95-slim-bookworm AS build
# The allocator is written in C, and built with make.
RUN set -eu; \
    apt-get update; \
    apt-get install --yes --no-install-recommends make; \
    rm -rf /var/lib/apt/lists/*
ARG TARGETPLATFORM
WORKDIR /src
COPY . .
COPY --from=plugins /out/plugins plugins
# The registry and the target directory are cached between builds, so only changes are compiled. Our own files are
# touched first: cargo compares timestamps, and a checkout may be older than the cached build.
RUN --mount=type=cache,id=gischat-relay-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=gischat-relay-target-$TARGETPLATFORM,target=/src/target,sharing=locked \
    set -eu; \
    find . -path ./target -prune -o -type f -exec touch {} +; \
    cargo build --release --locked --bin gischat-relay; \
    install -D -m 0755 target/release/gischat-relay /out/gischat-relay

FROM build AS collect
# `install` follows links, so each library is installed under the name that `ldd` prints.
RUN set -eu; \
    install -D -m 0755 /out/gischat-relay /rootfs/usr/bin/gischat-relay; \
    ldd /out/gischat-relay > /out/libraries; \
    if grep 'not found' /out/libraries; then exit 1; fi; \
    grep -o '/[^ ]*' /out/libraries > /out/paths; \
    while read -r library; do \
        install -D -m 0755 "$library" "/rootfs$library"; \
    done < /out/paths; \
    mkdir -p /rootfs/etc /rootfs/data; \
    chown 10001:10001 /rootfs/data; \
    echo 'relay:x:10001:10001:gischat-relay:/data:/sbin/nologin' > /rootfs/etc/passwd; \
    echo 'relay:x:10001:' > /rootfs/etc/group

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gischat-relay" \
      org.opencontainers.image.description="Chat relay over WebSockets for QGIS, QField and the web" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=collect /rootfs /
USER 10001:10001
# The relay looks for relay.toml, rules.toml and plugins/ here.
WORKDIR /data
ENV LISTEN=0.0.0.0:8000
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/bin/gischat-relay", "health"]
ENTRYPOINT ["/usr/bin/gischat-relay"]
