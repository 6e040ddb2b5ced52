import { assertEquals } from "@std/assert";
import { buildBinding } from "./binding.ts";
import { buildCredentials, decodeData, firstPasswords, generatePassword } from "./credentials.ts";
import { serverOf } from "../fake_server.ts";
import { buildNetworkPolicy } from "./network_policy.ts";
import { buildService } from "./service.ts";
import { buildVolumeClaim } from "./volume_claim.ts";

const OWNER = { apiVersion: "zalando.org/v1", kind: "Database", name: "db", uid: "u1", controller: true };

function labels(type: string): Record<string, string> {
  return {
    app: "db",
    "app.kubernetes.io/name": type,
    "app.kubernetes.io/instance": "db",
    "app.kubernetes.io/component": "database",
    "app.kubernetes.io/managed-by": "tablewright",
  };
}

const SELECTOR = { app: "db", "app.kubernetes.io/instance": "db", "app.kubernetes.io/managed-by": "tablewright" };
const SEEN = { "tablewright.dev/schema-revision": "3" };

Deno.test("buildService() makes a NodePort Service that selects the Pod of this Database alone", () => {
  assertEquals(buildService(serverOf({ type: "mongo" })), {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "shop", name: "db", labels: labels("mongo"), annotations: SEEN, ownerReferences: [OWNER] },
    spec: {
      type: "NodePort",
      selector: SELECTOR,
      ports: [{ name: "mongo", port: 27017, targetPort: 27017, protocol: "TCP" }],
    },
  });
});

Deno.test("buildService() takes type, port and annotations from the spec, and says nothing of a schema that is not ours", () => {
  const service = { type: "ClusterIP", port: 6543, annotations: { a: "b" } };
  assertEquals(buildService(serverOf({ type: "postgres", service }, false)), {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      namespace: "shop",
      name: "db",
      labels: labels("postgres"),
      annotations: { a: "b" },
      ownerReferences: [OWNER],
    },
    spec: {
      type: "ClusterIP",
      selector: SELECTOR,
      ports: [{ name: "postgres", port: 6543, targetPort: 5432, protocol: "TCP" }],
    },
  });
});

Deno.test("buildVolumeClaim() makes a claim without an owner, unless Delete is asked for", () => {
  const storage = { size: "10Gi", storageClassName: "fast" };
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      namespace: "shop",
      name: "db",
      labels: labels("postgres"),
      annotations: {
        "tablewright.dev/server-type": "postgres",
        "tablewright.dev/server-version": "18",
        ...SEEN,
      },
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "fast",
      resources: { requests: { storage: "10Gi" } },
    },
  };
  const built = (spec: unknown) => buildVolumeClaim(serverOf(spec), storage);
  assertEquals(built({ type: "postgres", storage }), claim);
  assertEquals(built({ type: "postgres", storage, deletionPolicy: "Retain" }), claim);
  assertEquals(built({ type: "postgres", storage, deletionPolicy: "Forbid" }), claim);
  assertEquals(built({ type: "postgres", storage, deletionPolicy: "Delete" }), {
    ...claim,
    metadata: { ...claim.metadata, ownerReferences: [OWNER] },
  });
});

Deno.test("buildCredentials() makes the Secret whose keys are the files of the Pod", async () => {
  const server = serverOf({ type: "postgres" });
  assertEquals(await buildCredentials(server, { password: "a", "admin-password": "b" }, {}), {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      namespace: "shop",
      name: "db-credentials",
      labels: labels("postgres"),
      annotations: { "tablewright.dev/password-digest": "ca978112ca1bbdca" },
    },
    type: "kubernetes.io/basic-auth",
    data: { username: "YXBw", password: "YQ==", "admin-password": "Yg==" },
  });
});

Deno.test("firstPasswords() makes one for the administrator only where there is another user", () => {
  const keys = (spec: unknown) => Object.keys(firstPasswords(serverOf(spec), () => "x"));
  assertEquals(keys({ type: "postgres" }), ["password", "admin-password"]);
  assertEquals(keys({ type: "postgres", auth: { username: "postgres" } }), ["password"]);
  assertEquals(keys({ type: "mysql" }), ["password", "admin-password"]);
  assertEquals(keys({ type: "mysql", auth: { username: "root" } }), ["password"]);
  assertEquals(keys({ type: "mongo" }), ["password"]);
});

Deno.test("generatePassword() makes 32 letters and digits, each as likely as the others", () => {
  let next = 0;
  const password = generatePassword((bytes) => bytes.forEach((_, index) => bytes[index] = next++ % 256));
  assertEquals(password, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef");
  const rejected = generatePassword((bytes) => bytes.fill(next++ % 2 === 0 ? 255 : 61));
  assertEquals(rejected, "9".repeat(32));
});

Deno.test("decodeData() drops the newline that an editor leaves", () => {
  assertEquals(decodeData({ password: btoa("a b\n") }), { password: "a b" });
});

Deno.test("buildBinding() has all that a client needs, by the names of the Service Binding specification", async () => {
  const credentials = { kind: "known", passwords: { password: "p/w" }, annotations: {} } as const;
  const text = async (spec: unknown) => {
    const { data, ...rest } = await buildBinding(serverOf(spec), credentials);
    return { ...rest, type: rest["type"], data: decodeData(data as Record<string, string>) };
  };
  assertEquals(await text({ type: "mongo", auth: { database: "docs" } }), {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      namespace: "shop",
      name: "db-binding",
      labels: labels("mongo"),
      annotations: { "tablewright.dev/password-digest": "5ad49e1437181a13" },
      ownerReferences: [OWNER],
    },
    type: "servicebinding.io/mongodb",
    data: {
      type: "mongodb",
      provider: "tablewright",
      host: "db.shop.svc",
      port: "27017",
      database: "docs",
      username: "app",
      password: "p/w",
      uri: "mongodb://app:p%2Fw@db.shop.svc:27017/docs?authSource=admin",
    },
  });
  assertEquals((await text({ type: "postgres" })).type, "servicebinding.io/postgresql");
  assertEquals((await text({ type: "mysql" })).type, "servicebinding.io/mysql");
});

Deno.test("buildBinding() leaves no digest of a password that a user chose", async () => {
  const credentials = { kind: "known", passwords: { password: "1234" }, annotations: {} } as const;
  const binding = await buildBinding(serverOf({ type: "mysql", auth: { secretRef: { name: "mine" } } }), credentials);
  assertEquals(binding.metadata["annotations"], {});
});

Deno.test("buildNetworkPolicy() lets in the port of the server and nothing else", () => {
  assertEquals(buildNetworkPolicy(serverOf({ type: "mysql" })), {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace: "shop", name: "db", labels: labels("mysql"), ownerReferences: [OWNER] },
    spec: {
      podSelector: { matchLabels: SELECTOR },
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ port: 3306, protocol: "TCP" }] }],
    },
  });
});
