import { assertEquals, assertRejects } from "@std/assert";
import { KubeError, type RequestOptions, type Written } from "../../kube/client/client.ts";
import { memoryLogger } from "../../kube/telemetry/logger.ts";
import type { KubeManifest, ResourceReference } from "../../kube/object.ts";
import { meetNamespaces } from "./watched_namespaces.ts";

const { signal } = new AbortController();

function clusterOf(answers: Readonly<Record<string, number>>) {
  const created: unknown[] = [];
  return {
    created,
    client: {
      get<T>(_type: unknown, { name = "" }: ResourceReference): Promise<T> {
        const status = answers[name] ?? 404;
        if (status === 403) throw new TypeError(`${name} may not be read`);
        return status === 200
          ? Promise.resolve({} as T)
          : Promise.reject(new KubeError(`answered ${status}`, { status, reason: "Test" }));
      },
      /** Only what may be read is asked for: a SelfSubjectAccessReview says so. */
      request<T>(_method: string, _path: string, { body }: RequestOptions = {}): Promise<Written<T>> {
        const { spec } = body as { spec: { resourceAttributes: { name: string } } };
        const allowed = answers[spec.resourceAttributes.name] !== 403;
        return Promise.resolve({ object: { status: { allowed } } as T, warnings: [] });
      },
      create<T>(_type: unknown, manifest: KubeManifest): Promise<{ object: T; warnings: string[] }> {
        created.push(manifest);
        return Promise.reject(new KubeError("somebody was faster", { status: 409, reason: "AlreadyExists" }));
      },
    },
  };
}

Deno.test("meetNamespaces() names each missing namespace at once, and answers those that are there", async () => {
  const logger = memoryLogger();
  const { client, created } = clusterOf({ there: 200, secret: 403 });
  const names = ["gone", "there", "secret", "lost"];
  assertEquals(await meetNamespaces({ client, whenMissing: "warn", logger }, names, signal), ["there", "secret"]);
  assertEquals(logger.entries.map(({ level, properties }) => [level, properties["namespace"]]), [
    ["warn", "gone"],
    ["warn", "lost"],
  ]);
  assertEquals(created, []);
});

Deno.test("meetNamespaces() creates what is missing in a cluster of our own, also beside somebody else", async () => {
  const logger = memoryLogger();
  const { client, created } = clusterOf({ there: 200 });
  assertEquals(await meetNamespaces({ client, whenMissing: "create", logger }, ["there", "new"], signal), [
    "there",
    "new",
  ]);
  assertEquals(created, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "new" } }]);
});

Deno.test("meetNamespaces() throws what says nothing of a namespace", async () => {
  const { client } = clusterOf({ any: 500 });
  const logger = memoryLogger();
  await assertRejects(() => meetNamespaces({ client, whenMissing: "warn", logger }, ["any"], signal), KubeError);
});
