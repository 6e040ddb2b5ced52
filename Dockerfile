# The operator: a Deno without a shell, its modules, and nothing else. `docker build .` needs a clone and the npm registry.
FROM denoland/deno:2.9.6 AS build
WORKDIR /app
ENV DENO_DIR=/app/.deno
COPY deno.json deno.lock main.ts ./
COPY crds ./crds
COPY postgres ./postgres
COPY kube ./kube
COPY handlers ./handlers
COPY manifests/base ./manifests/base
COPY build ./build
# Without the imports of tests, whose packages would come along; every version is still that of the lock file.
RUN deno run --no-lock --allow-read=. --allow-write=deno.json build/shipped_config.ts && rm -r build
RUN deno install --entrypoint main.ts
# Type stripping and parsing happen here and not at each start; nothing may be missing.
RUN deno run --cached-only --no-prompt --permission-set=operator main.ts version

FROM denoland/deno:distroless-2.9.6
WORKDIR /app
COPY --from=build /app /app
ENV DENO_DIR=/app/.deno DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
USER 65532:65532
EXPOSE 8443 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["deno", "run", "--quiet", "--cached-only", "--no-prompt", "--permission-set=operator", "main.ts", "health"]
# What the operator may do is the permission set in deno.json: network, environment, reading; no writing, no programs, no libraries.
# Half of the memory was garbage that V8 had not looked at: a small young generation, and a heap that grows by half before it is looked
# at again, cost no measurable CPU (docs/performance.md).
ENTRYPOINT ["deno", "run", "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=50", "--quiet", "--cached-only", "--no-prompt", "--permission-set=operator", "main.ts"]
