import { assertEquals, assertThrows } from "@std/assert";
import { type ChoiceOptions, chooseServers } from "./choice.ts";
import { LocalError } from "./local_error.ts";

const NOTHING: ChoiceOptions = {
  embeddedDatabase: false,
  inPod: false,
  home: "/home/ann",
  ownKubeconfigs: ["/clone/.local/kubeconfig"],
  ownPasswords: ["abc"],
};
const STRANGER = "postgres://ann:secret@db/app";

Deno.test("chooseServers() embeds both when nothing is said", () => {
  const { cluster, database, reasons } = chooseServers(NOTHING);
  assertEquals([cluster, database], [{ kind: "embedded" }, { kind: "embedded" }]);
  assertEquals(reasons.length, 2);
});

Deno.test("chooseServers() takes KUBECONFIG and --context", () => {
  const options = { ...NOTHING, kubeconfig: "/k", context: "prod", databaseUrl: STRANGER };
  assertEquals(chooseServers(options).cluster, { kind: "kubeconfig", path: "/k", context: "prod" });
});

Deno.test("chooseServers() reads the usual kubeconfig only for --context", () => {
  const options = { ...NOTHING, context: "prod", databaseUrl: STRANGER };
  assertEquals(chooseServers(options).cluster, { kind: "kubeconfig", path: "/home/ann/.kube/config", context: "prod" });
});

Deno.test("chooseServers() prefers KUBECONFIG to the cluster of its Pod", () => {
  const options = { ...NOTHING, inPod: true, databaseUrl: STRANGER };
  assertEquals(chooseServers(options).cluster, { kind: "pod" });
  assertEquals(chooseServers({ ...options, kubeconfig: "/k" }).cluster, { kind: "kubeconfig", path: "/k" });
});

Deno.test("chooseServers() counts what an earlier run printed as unset", () => {
  const { cluster, database } = chooseServers({
    ...NOTHING,
    kubeconfig: "/clone/sub/../.local/kubeconfig",
    databaseUrl: "postgres://tablewright:abc@127.0.0.1:20001/tablewright",
  });
  assertEquals([cluster, database], [{ kind: "embedded" }, { kind: "embedded" }]);
});

Deno.test("chooseServers() drops its own file from a list of kubeconfigs", () => {
  const options = { ...NOTHING, kubeconfig: "/clone/.local/kubeconfig:/k", databaseUrl: STRANGER };
  assertEquals(chooseServers(options).cluster, { kind: "kubeconfig", path: "/k" });
});

Deno.test("chooseServers() uses DATABASE_URL with the embedded cluster", () => {
  const { cluster, database } = chooseServers({ ...NOTHING, databaseUrl: STRANGER });
  assertEquals([cluster, database], [{ kind: "embedded" }, { kind: "url", url: STRANGER }]);
});

Deno.test("chooseServers() refuses a foreign cluster without a database", () => {
  const options = { ...NOTHING, kubeconfig: "/k" };
  assertThrows(() => chooseServers(options), LocalError, "set DATABASE_URL or give --embedded-database");
  assertEquals(chooseServers({ ...options, embeddedDatabase: true }).database, { kind: "embedded" });
});

Deno.test("chooseServers() never shows the password of DATABASE_URL", () => {
  const { reasons } = chooseServers({ ...NOTHING, databaseUrl: STRANGER });
  assertEquals(reasons.some((line) => line.includes("secret")), false);
});
