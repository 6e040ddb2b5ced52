import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { isObject } from "../../../crds/decode_fields.ts";
import { serverOf } from "../fake_server.ts";
import { POSTGRES_INITIALIZATION } from "./initialization.ts";
import { buildPod } from "./pod.ts";
import { mongoProbe, mysqlProbe, postgresProbe } from "./probes.ts";

const HASH = "tablewright.dev/template-hash";
const CREDENTIALS = "/etc/tablewright/credentials";

/** The Pod without its hash, which is looked at by itself. */
async function podOf(spec: unknown): Promise<Record<string, unknown>> {
  const { metadata, ...rest } = await buildPod(serverOf(spec));
  const annotations = Object.entries(metadata["annotations"] as Record<string, string>).filter(([key]) => key !== HASH);
  return { ...rest, metadata: { ...metadata, annotations: Object.fromEntries(annotations) } };
}

async function hashOf(spec: unknown): Promise<unknown> {
  const { metadata } = await buildPod(serverOf(spec));
  return isObject(metadata["annotations"]) ? metadata["annotations"][HASH] : undefined;
}

const SECURITY = {
  pod: {
    runAsUser: 999,
    runAsGroup: 999,
    fsGroup: 999,
    fsGroupChangePolicy: "OnRootMismatch",
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
  },
  container: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true },
};

function metadata(type: string, version: string, annotations: Record<string, string> = {}): unknown {
  return {
    namespace: "shop",
    name: "db",
    labels: {
      app: "db",
      "app.kubernetes.io/name": type,
      "app.kubernetes.io/instance": "db",
      "app.kubernetes.io/component": "database",
      "app.kubernetes.io/managed-by": "tablewright",
      "app.kubernetes.io/version": version,
    },
    annotations: {
      ...annotations,
      "tablewright.dev/schema-revision": "3",
      "tablewright.dev/server-type": type,
      "tablewright.dev/server-version": version,
    },
    ownerReferences: [{ apiVersion: "zalando.org/v1", kind: "Database", name: "db", uid: "u1", controller: true }],
  };
}

function probes(script: string, port: number): unknown {
  const login = { exec: { command: ["sh", "-c", script] }, timeoutSeconds: 5 };
  return {
    startupProbe: { ...login, periodSeconds: 5, failureThreshold: 120 },
    readinessProbe: { ...login, periodSeconds: 10, failureThreshold: 3 },
    livenessProbe: { tcpSocket: { port }, timeoutSeconds: 5, periodSeconds: 10, failureThreshold: 6 },
  };
}

const POD_IP = { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } };
const RESOURCES = { requests: { cpu: "100m", memory: "512Mi" }, limits: { memory: "1Gi" } };
const COMMON = {
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 60,
  enableServiceLinks: false,
  automountServiceAccountToken: false,
  securityContext: SECURITY.pod,
};
const SHM = { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "256Mi" } };

function environment(values: Record<string, string>): unknown {
  return [...Object.entries(values).map(([name, value]) => ({ name, value })), POD_IP];
}

Deno.test("buildPod() makes a postgres on a volume: PGDATA below the mount, a script that makes the role", async () => {
  assertEquals(await podOf({ type: "postgres", version: "17.5", storage: { size: "1Gi" } }), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata("postgres", "17.5", { "tablewright.dev/initialization": POSTGRES_INITIALIZATION }),
    spec: {
      ...COMMON,
      containers: [{
        name: "postgres",
        image: "postgres:17.5",
        ports: [{ name: "postgres", containerPort: 5432, protocol: "TCP" }],
        env: environment({
          PGDATA: "/var/lib/postgresql/17/docker",
          POSTGRES_USER: "postgres",
          POSTGRES_DB: "app",
          POSTGRES_PASSWORD_FILE: `${CREDENTIALS}/admin-password`,
          LOGIN_USERNAME: "app",
          LOGIN_DATABASE: "app",
          SERVER_PORT: "5432",
        }),
        resources: RESOURCES,
        securityContext: SECURITY.container,
        volumeMounts: [
          { name: "data", mountPath: "/var/lib/postgresql" },
          { name: "credentials", mountPath: CREDENTIALS, readOnly: true },
          { name: "shm", mountPath: "/dev/shm" },
          { name: "tmp", mountPath: "/tmp" },
          { name: "run", mountPath: "/var/run/postgresql" },
          { name: "initialization", mountPath: "/docker-entrypoint-initdb.d", readOnly: true },
        ],
        ...probes(postgresProbe(), 5432) as object,
      }],
      volumes: [
        { name: "data", persistentVolumeClaim: { claimName: "db" } },
        { name: "credentials", secret: { secretName: "db-credentials", defaultMode: 0o440 } },
        SHM,
        { name: "tmp", emptyDir: {} },
        { name: "run", emptyDir: {} },
        {
          name: "initialization",
          downwardAPI: {
            items: [{
              path: "10-role.sh",
              fieldRef: { fieldPath: "metadata.annotations['tablewright.dev/initialization']" },
            }],
            defaultMode: 0o555,
          },
        },
      ],
    },
  });
});

Deno.test("buildPod() makes a mysql without a volume, and takes from the spec what users decide", async () => {
  const affinity = { podAntiAffinity: {} };
  const spec = {
    type: "mysql",
    image: "example.test/mysql:8.0.36",
    imagePullSecrets: [{ name: "pull" }],
    auth: { username: "root", database: "shop", secretRef: { name: "mine" } },
    resources: { limits: { memory: "2Gi" } },
    podSecurityContext: { runAsUser: 1000 },
    nodeSelector: { disk: "ssd" },
    tolerations: [{ operator: "Exists" }],
    affinity,
    priorityClassName: "high",
    podLabels: { team: "a" },
    podAnnotations: { note: "b" },
  };
  const expected = metadata("mysql", "8.0", { note: "b" }) as { labels: Record<string, string> };
  assertEquals(await podOf(spec), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...expected, labels: { ...expected.labels, team: "a" } },
    spec: {
      ...COMMON,
      imagePullSecrets: [{ name: "pull" }],
      nodeSelector: { disk: "ssd" },
      tolerations: [{ operator: "Exists" }],
      affinity,
      priorityClassName: "high",
      securityContext: { ...SECURITY.pod, runAsUser: 1000 },
      containers: [{
        name: "mysql",
        image: "example.test/mysql:8.0.36",
        ports: [{ name: "mysql", containerPort: 3306, protocol: "TCP" }],
        env: environment({
          MYSQL_DATABASE: "shop",
          MYSQL_ROOT_PASSWORD_FILE: `${CREDENTIALS}/password`,
          LOGIN_USERNAME: "root",
          LOGIN_DATABASE: "shop",
          SERVER_PORT: "3306",
        }),
        resources: { limits: { memory: "2Gi" } },
        securityContext: SECURITY.container,
        volumeMounts: [
          { name: "data", mountPath: "/var/lib/mysql", subPath: "data" },
          { name: "credentials", mountPath: CREDENTIALS, readOnly: true },
          { name: "shm", mountPath: "/dev/shm" },
          { name: "tmp", mountPath: "/tmp" },
          { name: "run", mountPath: "/var/run/mysqld" },
        ],
        ...probes(mysqlProbe(), 3306) as object,
      }],
      volumes: [
        { name: "data", emptyDir: {} },
        { name: "credentials", secret: { secretName: "mine", defaultMode: 0o440 } },
        SHM,
        { name: "tmp", emptyDir: {} },
        { name: "run", emptyDir: {} },
      ],
    },
  });
});

Deno.test("buildPod() makes a mongo, whose only user is the administrator", async () => {
  assertEquals(await podOf({ type: "mongo" }), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata("mongo", "4.0"),
    spec: {
      ...COMMON,
      containers: [{
        name: "mongo",
        image: "mongo:4.0",
        ports: [{ name: "mongo", containerPort: 27017, protocol: "TCP" }],
        env: environment({
          HOME: "/tmp",
          MONGO_INITDB_DATABASE: "app",
          MONGO_INITDB_ROOT_USERNAME: "app",
          MONGO_INITDB_ROOT_PASSWORD_FILE: `${CREDENTIALS}/password`,
          LOGIN_USERNAME: "app",
          LOGIN_DATABASE: "app",
          SERVER_PORT: "27017",
        }),
        resources: RESOURCES,
        securityContext: SECURITY.container,
        volumeMounts: [
          { name: "data", mountPath: "/data/db", subPath: "data" },
          { name: "credentials", mountPath: CREDENTIALS, readOnly: true },
          { name: "shm", mountPath: "/dev/shm" },
          { name: "tmp", mountPath: "/tmp" },
          { name: "configdb", mountPath: "/data/configdb" },
        ],
        ...probes(mongoProbe("4.0"), 27017) as object,
      }],
      volumes: [
        { name: "data", emptyDir: {} },
        { name: "credentials", secret: { secretName: "db-credentials", defaultMode: 0o440 } },
        SHM,
        { name: "tmp", emptyDir: {} },
        { name: "configdb", emptyDir: {} },
      ],
    },
  });
});

Deno.test("the hash of the template changes with what cannot be changed in place, and with nothing else", async () => {
  const plain = await hashOf({ type: "postgres" });
  for (
    const same of [{ podLabels: { a: "b" } }, { podAnnotations: { a: "b" } }, { service: { port: 1 } }, {
      version: "18",
    }]
  ) {
    assertEquals(await hashOf({ type: "postgres", ...same }), plain);
  }
  for (const other of [{ version: "18.1" }, { resources: { limits: { cpu: "1" } } }, { storage: { size: "1Gi" } }]) {
    assertNotEquals(await hashOf({ type: "postgres", ...other }), plain);
  }
});

Deno.test("probes log in over TCP at the Pod's own address, with no password in an argument", () => {
  for (const script of [postgresProbe(), mysqlProbe(), mongoProbe("5.0"), mongoProbe("6.0")]) {
    assert(script.includes('"$POD_IP"') && script.includes('"$SERVER_PORT"') && !script.includes("127.0.0.1"));
    assert(!/(--password|-p"?\$\(|-u \S+ -p)/.test(script.replace('-p "$SERVER_PORT"', "")));
  }
  assert(mongoProbe("5.0").startsWith("exec mongo "));
  assert(mongoProbe("6.0").startsWith("exec mongosh "));
  assert(mysqlProbe().startsWith('MYSQL_PWD="$(cat '));
});
