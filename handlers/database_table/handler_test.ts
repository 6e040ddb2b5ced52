import { assertEquals } from "@std/assert";
import { comparePatch } from "../admission/json_patch.ts";
import { withTableDefaults } from "./handler.ts";

Deno.test("withTableDefaults() adds the finalizer and the policy to absent fields only", () => {
  const object = { metadata: { name: "a", finalizers: ["x/y"] }, spec: { tableName: "t" } };
  assertEquals(comparePatch(object, withTableDefaults(object)), [
    { op: "add", path: "/spec/adoptionPolicy", value: "Never" },
    { op: "add", path: "/spec/deletionPolicy", value: "Delete" },
    { op: "add", path: "/metadata/finalizers/1", value: "kopf.demo/tablewright" },
  ]);
});

Deno.test("withTableDefaults() leaves alone what a user wrote, also when it is wrong", () => {
  const object = {
    metadata: { finalizers: ["kopf.demo/tablewright"] },
    spec: { deletionPolicy: "delete", adoptionPolicy: 1 },
  };
  assertEquals(comparePatch(object, withTableDefaults(object)), []);
});

Deno.test("withTableDefaults() invents no spec", () => {
  assertEquals(withTableDefaults({ metadata: {} }), { metadata: { finalizers: ["kopf.demo/tablewright"] } });
});

Deno.test("withTableDefaults() counts a marker of kopf only if it was there before", () => {
  const marked = { metadata: { annotations: { "kopf.zalando.org/last-handled-configuration": "{}" } }, spec: {} };
  assertEquals(withTableDefaults(marked).spec, { adoptionPolicy: "IfCompatible", deletionPolicy: "Retain" });
  const plain = { metadata: {}, spec: {} };
  assertEquals(withTableDefaults(marked, plain).spec, { adoptionPolicy: "Never", deletionPolicy: "Delete" });
  assertEquals(withTableDefaults(plain, marked).spec, { adoptionPolicy: "IfCompatible", deletionPolicy: "Retain" });
});
