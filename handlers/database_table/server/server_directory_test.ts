import { assertEquals, assertStringIncludes } from "@std/assert";
import { KubeError } from "../../../kube/client/client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { encodeData } from "../../database/build/credentials.ts";
import { type NamedReference, type NamespaceFacts, type Resolution, ServerDirectory } from "./server_directory.ts";

const { signal } = new AbortController();
const READY = { conditions: [{ type: "Ready", status: "True" }] };

function database(spec: unknown = { type: "postgres" }, status: unknown = READY): KubeObject {
  const metadata = { namespace: "shop", name: "orders", uid: "u" };
  const known = status === null ? {} : { status };
  return { apiVersion: "zalando.org/v1", kind: "Database", metadata, spec, ...known } as unknown as KubeObject;
}

function binding(ownerUid = "u"): KubeObject {
  const metadata = {
    namespace: "shop",
    name: "orders-binding",
    labels: { "app.kubernetes.io/managed-by": "tablewright", "app.kubernetes.io/instance": "orders" },
    ownerReferences: [{ apiVersion: "zalando.org/v1", kind: "Database", name: "orders", uid: ownerUid }],
  };
  const data = encodeData({ password: "p/w", host: "evil.example.com", username: "postgres" });
  return { apiVersion: "v1", kind: "Secret", metadata, data } as unknown as KubeObject;
}

interface Cluster {
  readonly objects?: Readonly<Record<string, KubeObject>>;
  readonly namespaces?: Readonly<Record<string, NamespaceFacts>>;
  readonly error?: Error;
  readonly addresses?: ReadonlyMap<string, string>;
}

function directory({ objects = {}, namespaces = {}, error, addresses = new Map() }: Cluster, asked: string[] = []) {
  return new ServerDirectory({
    addresses,
    objects: {
      read: <T extends KubeObject>(
        { kind }: { kind: string },
        { namespace, name }: { namespace: string; name: string },
      ) => {
        asked.push(`${kind} ${namespace}/${name}`);
        return error === undefined
          ? Promise.resolve(objects[`${kind} ${namespace}/${name}`] as T | undefined)
          : Promise.reject(error);
      },
      readNamespace: (name) => Promise.resolve(namespaces[name]),
    },
  });
}

const ORDERS: NamedReference = { kind: "Database", namespace: "shop", name: "orders" };
const SECRET: NamedReference = { kind: "Secret", namespace: "shop", name: "s", key: undefined };
const WHOLE = { "Database shop/orders": database(), "Secret shop/orders-binding": binding() };

function reasonOf(resolution: Resolution): string {
  return resolution.kind === "found" ? resolution.connection.url : `${resolution.kind} ${resolution.reason}`;
}

async function resolve(cluster: Cluster, namespace = "shop", reference = ORDERS): Promise<string> {
  return reasonOf(await directory(cluster).resolve(reference, namespace, signal));
}

Deno.test("resolve() believes of a binding nothing but its password: the rest follows from the Database", async () => {
  assertEquals(await resolve({ objects: WHOLE }), "postgres://app:p%2Fw@orders.shop.svc:5432/app?sslmode=disable");
  const addresses = new Map([["shop/orders", "127.0.0.1:15432"]]);
  assertEquals(
    await resolve({ objects: WHOLE, addresses }),
    "postgres://app:p%2Fw@127.0.0.1:15432/app?sslmode=disable",
  );
  const stranger = { ...WHOLE, "Secret shop/orders-binding": binding("another") };
  assertEquals(await resolve({ objects: stranger }), "waiting DatabaseNotReady");
});

Deno.test("resolve() waits for a server, and knows one that is no more, or none for tables", async () => {
  assertEquals(await resolve({}), "gone DatabaseNotFound");
  assertEquals(
    await resolve({ objects: { "Database shop/orders": database(undefined, {}) } }),
    "waiting DatabaseNotReady",
  );
  assertEquals(await resolve({ objects: { "Database shop/orders": database() } }), "waiting DatabaseNotReady");
  assertEquals(await resolve({ objects: { "Database shop/orders": database({}) } }), "waiting DatabaseNotReady");
  assertEquals(
    await resolve({ objects: { "Database shop/orders": database({ type: "mysql" }) } }),
    "refused DatabaseTypeUnsupported",
  );
});

Deno.test("resolve() asks the Pod where the status is hidden, unless the spec may be hidden, too", async () => {
  const pod = (annotations: Record<string, string>, ready: string, ownerUid = "u") =>
    ({
      ...binding(ownerUid),
      kind: "Pod",
      metadata: { ...binding(ownerUid).metadata, name: "orders", annotations },
      status: { phase: "Running", conditions: [{ type: "Ready", status: ready }] },
    }) as unknown as KubeObject;
  const bare = (made: KubeObject) => ({
    objects: { ...WHOLE, "Database shop/orders": database({ type: "postgres" }, null), "Pod shop/orders": made },
  });
  assertStringIncludes(await resolve(bare(pod({}, "True"))), "@orders.shop.svc:5432/app");
  for (
    const made of [
      pod({}, "False"),
      pod({ "tablewright.dev/schema-revision": "3" }, "True"),
      pod({}, "True", "another"),
    ]
  ) {
    assertEquals(await resolve(bare(made)), "waiting DatabaseNotReady");
  }
  const ours = { ...WHOLE, "Database shop/orders": database(undefined, { conditions: [] }) };
  assertEquals(await resolve({ objects: { ...ours, "Pod shop/orders": pod({}, "True") } }), "waiting DatabaseNotReady");
});

Deno.test("resolve() tells another namespace nothing without consent, and reads no Secret for it", async () => {
  const asked: string[] = [];
  const told = await directory({ objects: WHOLE }, asked).resolve(ORDERS, "team", signal);
  assertEquals(told, await directory({}).resolve(ORDERS, "team", signal));
  assertEquals([reasonOf(told), asked], ["refused DatabaseRefNotPermitted", ["Database shop/orders"]]);
  const selector = { matchLabels: { a: "b" } };
  const spec = { type: "postgres", allowedTables: { namespaces: { from: "Selector", selector } } };
  const objects = { ...WHOLE, "Database shop/orders": database(spec) };
  const team = (labels: Record<string, string>) => ({ team: { labels, isTerminating: false } });
  assertStringIncludes(await resolve({ objects, namespaces: team({ a: "b" }) }, "team"), "orders.shop.svc");
  assertEquals(await resolve({ objects, namespaces: team({}) }, "team"), "refused DatabaseRefNotPermitted");
  assertEquals(await resolve({ objects }, "team"), "refused DatabaseRefNotPermitted");
});

Deno.test("resolve() reads a Secret by its name; one that is gone is gone for good only with its namespace", async () => {
  const secret = { data: encodeData({ uri: "postgres://a:b@h/db\n" }) } as unknown as KubeObject;
  const objects = { "Secret shop/s": secret };
  assertEquals(await resolve({ objects }, "shop", SECRET), "postgres://a:b@h/db?sslmode=disable");
  assertEquals(await resolve({ objects }, "shop", { ...SECRET, key: "dsn" }), "waiting InvalidConnectionSecret");
  assertEquals(await resolve({}, "shop", SECRET), "waiting SecretNotFound");
  const namespaces = { shop: { labels: {}, isTerminating: true } };
  assertEquals(await resolve({ namespaces }, "shop", SECRET), "gone SecretNotFound");
});

Deno.test("resolve() waits while the API server cannot tell", async () => {
  const error = new KubeError("secrets is forbidden", { status: 403, reason: "Forbidden" });
  assertEquals(await resolve({ error }), "waiting DatabaseUnresolved");
});
