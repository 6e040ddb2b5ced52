import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeDatabaseSpec } from "./decode.ts";
import { parseQuantity } from "./quantity.ts";
import { compareVersions, parseVersion } from "./version.ts";

const HOSTILE = ["'; --", '"', "\u0000", "\u202e", "a".repeat(300), "$(id)", "`id`", "\n", "../..", "%00"];
const FIELDS = [
  "type",
  "version",
  "image",
  "auth",
  "storage",
  "service",
  "resources",
  "podLabels",
  "upgradePolicy",
  "x",
];

Deno.test("decodeDatabaseSpec() answers any JSON with a spec or with faults that have a path", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const decoded = decodeDatabaseSpec(value);
    assert(decoded.ok || decoded.errors.every(({ path }) => path.startsWith("spec")));
  }));
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...FIELDS), fc.jsonValue()), (value) => {
    const decoded = decodeDatabaseSpec({ type: "postgres", ...value });
    assert(decoded.ok || decoded.errors.length > 0);
  }));
});

Deno.test("decodeDatabaseSpec() lets nothing through that a shell, a URL or SQL would have to quote", () => {
  for (const text of HOSTILE) {
    for (const field of ["database", "username"]) {
      assertEquals(decodeDatabaseSpec({ type: "postgres", auth: { [field]: text } }).ok, false, `${field}: ${text}`);
    }
    assertEquals(decodeDatabaseSpec({ type: "postgres", auth: { secretRef: { name: text } } }).ok, false, text);
    assertEquals(decodeDatabaseSpec({ type: "postgres", version: text }).ok, false, text);
    assertEquals(decodeDatabaseSpec({ type: "postgres", storage: { size: text } }).ok, false, text);
  }
});

Deno.test("decodeDatabaseSpec() names every fault at once, each with its path", () => {
  const decoded = decodeDatabaseSpec({
    type: "postgres",
    version: "9",
    image: "a b",
    imagePullSecrets: [{}],
    auth: { secretRef: {}, user: "x" },
    storage: {},
    service: { type: "Ingress", port: 0 },
    tolerations: ["all"],
    upgradePolicy: { major: "Yes" },
    deletionPolicy: "Keep",
    suspend: "no",
    backup: {},
  });
  assertEquals(decoded.ok ? [] : decoded.errors.map(({ path }) => path).sort(), [
    "spec.auth.secretRef.name",
    "spec.auth.user",
    "spec.backup",
    "spec.deletionPolicy",
    "spec.image",
    "spec.imagePullSecrets[0].name",
    "spec.service.port",
    "spec.service.type",
    "spec.storage.size",
    "spec.suspend",
    "spec.tolerations[0]",
    "spec.upgradePolicy.major",
    "spec.version",
  ]);
});

Deno.test("parseQuantity() reads what Kubernetes reads", () => {
  const read = ["1", "1.5", ".5", "100m", "1k", "1Ki", "2Gi", "1e3", "1E3", "1E"].map(parseQuantity);
  assertEquals(read, [1, 1.5, 0.5, 0.1, 1000, 1024, 2147483648, 1000, 1000, 1e18]);
  assertEquals(["", "Gi", "1 Gi", "1gb", "-1", "0x1", "1e", "NaN"].map(parseQuantity), Array(8).fill(undefined));
});

Deno.test("compareVersions() knows majors with one number and with two", () => {
  const compare = (type: "postgres" | "mysql", from: string, to: string) => {
    const [before, after] = [parseVersion(type, from), parseVersion(type, to)];
    return before === undefined || after === undefined ? undefined : compareVersions(before, after);
  };
  assertEquals(compare("postgres", "17", "18"), "major");
  assertEquals(compare("postgres", "18", "18.1"), "minor");
  assertEquals(compare("postgres", "18.1", "18"), "minor");
  assertEquals(compare("postgres", "18.10", "18.9"), "downgrade");
  assertEquals(compare("mysql", "8.0", "8.4"), "major");
  assertEquals(compare("mysql", "9.0", "8.4.3"), "downgrade");
  assertEquals(compare("mysql", "8.0.36", "8.0.36"), "none");
});
