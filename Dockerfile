# Debian slim rather than Alpine: Node's own builds for glibc are its first tier, those for musl are experimental.
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The `prepare` script would build before the sources are here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY proto proto
COPY src src
RUN npm run build
# `exec` leaves Node as process 1, where SIGTERM reaches it. /bin/ratelimit is the command that manifests for
# envoyproxy/ratelimit name: with their image swapped for this one they go on working.
RUN mkdir -p /image/usr/local/bin \
 && printf '#!/bin/sh\nexec node /app/dist/main.js "$@"\n' > /image/usr/local/bin/tidegate \
 && printf '#!/bin/sh\nexec node /app/dist/main.js serve "$@"\n' > /image/usr/local/bin/ratelimit \
 && chmod 755 /image/usr/local/bin/tidegate /image/usr/local/bin/ratelimit

FROM ${NODE_IMAGE} AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force

FROM ${NODE_IMAGE}
WORKDIR /app
# The data port is for Envoy, which may be another container; the admin and control ports stay on loopback until
# TIDEGATE_ADMIN_HOST or TIDEGATE_CONTROL_HOST says otherwise. The reference's name is the weaker of the two that mean
# the data port's host: whichever of them a user sets is the one that counts.
ENV NODE_ENV=production \
    GRPC_HOST=0.0.0.0
COPY --from=build /image/usr/local/bin/ /usr/local/bin/
# History and models: keep the directory on a volume, or they end with the container.
ENV XDG_STATE_HOME=/var/lib
RUN ln -s /usr/local/bin/ratelimit /bin/ratelimit \
 && install -d -o node -g node -m 0700 /var/lib/tidegate
COPY --from=modules /app/node_modules node_modules
COPY package.json LICENSE ./
COPY proto proto
COPY examples examples
COPY --from=build /app/dist dist
# Nothing in the image but its state belongs to this user: it can read the program and not change it.
USER node
# Data (gRPC), admin (HTTP), control (gRPC).
EXPOSE 8081 8080 18000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.TIDEGATE_ADMIN_PORT || process.env.PORT || 8080) + '/healthcheck').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["tidegate", "serve"]
