# The gateway as a container. NOT built or run by a container engine yet: scripts/dockerfile.test.mjs checks what can be
# checked without one (every path it copies, every step it runs).
#
#   docker build -t tidegate .
#   docker run -d --name tidegate -p 8443:8443 -v tidegate:/var/lib/tidegate \
#     -v ./tidegate.yaml:/etc/tidegate/tidegate.yaml:ro tidegate
#   docker exec tidegate tidegate device add attic --json
#
# The dashboard listens on the container's own loopback, where no `-p` leads. To reach it from outside: set a password
# (`docker exec -it tidegate tidegate admin password`), then admin.listen 0.0.0.0:8080 with admin.tls, then `-p`.
# Serial lines: --device /dev/ttyUSB0 --group-add dialout.

# glibc, because the compiled parts are made for it. The same Debian release builds and runs.
FROM node:22-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ git make python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN node scripts/setup.mjs && node scripts/build.mjs
RUN node scripts/install-service.mjs --root /image --node /usr/local/bin/node

FROM node:22-bookworm-slim
COPY --from=build /image/opt/tidegate /opt/tidegate
COPY --from=build /image/etc/tidegate /etc/tidegate
RUN ln -s /opt/tidegate/gateway/bin/tidegate.js /usr/local/bin/tidegate \
  && useradd --system --uid 8443 --home-dir /var/lib/tidegate --shell /usr/sbin/nologin tidegate \
  && install -d -o tidegate -g tidegate -m 0750 /var/lib/tidegate
USER tidegate
ENV STATE_DIRECTORY=/var/lib/tidegate NODE_ENV=production
VOLUME /var/lib/tidegate
EXPOSE 8443 8080
STOPSIGNAL SIGTERM
# As the operator would ask: over the address the gateway itself has written down.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["tidegate", "status"]
# No shell in between: signals reach the gateway, and its exit code is the container's.
ENTRYPOINT ["node", "--disallow-code-generation-from-strings", "/opt/tidegate/gateway/bin/tidegate.js"]
CMD ["run"]
