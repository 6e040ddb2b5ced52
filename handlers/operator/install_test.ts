import { assertEquals } from "@std/assert";
import { KubeError } from "../../kube/client/client.ts";
import type { CrdContext } from "../../kube/objects/crd.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import { installDefinitions } from "./install.ts";

const TABLES = "databasetables.kopf.demo";

/** An API server that has one CRD, which is being deleted until `gone()`. */
function clusterWithDyingKind(): {
  context: CrdContext;
  applied: string[];
  gone(): void;
  tablesApplied: Promise<void>;
} {
  const applied: string[] = [];
  const dead = Promise.withResolvers<void>();
  const tablesApplied = Promise.withResolvers<void>();
  let isDying = true;
  const client = {
    get: (_type: unknown, { name }: { name: string }) => {
      if (name === TABLES && isDying) return Promise.resolve({ metadata: { name, deletionTimestamp: "now" } });
      if (!applied.includes(name)) return Promise.reject(new KubeError("gone", { status: 404, reason: "NotFound" }));
      return Promise.resolve({ metadata: { name }, status: { conditions: [{ type: "Established", status: "True" }] } });
    },
    apply: (_type: unknown, { metadata: { name } }: { metadata: { name: string } }) => {
      applied.push(name);
      if (name === TABLES) tablesApplied.resolve();
      return Promise.resolve({});
    },
    list: () => Promise.resolve({ items: [], resourceVersion: "1" }),
  };
  const timing = { random: () => 0.5, delay: () => dead.promise };
  return {
    context: { client, timing, logger: silentLogger } as unknown as CrdContext,
    applied,
    tablesApplied: tablesApplied.promise,
    gone() {
      isDying = false;
      dead.resolve();
    },
  };
}

Deno.test("installDefinitions() does not wait for a kind that is being deleted, and installs it once it is gone", async () => {
  const { context, applied, gone, tablesApplied } = clusterWithDyingKind();
  await installDefinitions(context, new AbortController().signal);
  assertEquals(applied, [
    "databases.zalando.org",
    "samples.nuvolaris.org",
    "tablewright",
    "tablewright",
    "tablewright-databases",
    "tablewright-databases",
  ]);
  gone();
  await tablesApplied;
  assertEquals(applied.at(-1), TABLES);
});
