import { assertEquals } from "@std/assert";
import { comparePatch } from "../json_patch.ts";
import { withTableDefaults } from "./handler.ts";

Deno.test("withTableDefaults() adds the finalizer and the policy to absent fields only", () => {
  const object = { metadata: { name: "a", finalizers: ["x/y"] }, spec: { tableName: "t" } };
  assertEquals(comparePatch(object, withTableDefaults(object)), [
    { op: "add", path: "/spec/deletionPolicy", value: "Delete" },
    { op: "add", path: "/metadata/finalizers/1", value: "kopf.demo/tablewright" },
  ]);
});

Deno.test("withTableDefaults() leaves alone what a user wrote, also when it is wrong", () => {
  const object = { metadata: { finalizers: ["kopf.demo/tablewright"] }, spec: { deletionPolicy: "delete" } };
  assertEquals(comparePatch(object, withTableDefaults(object)), []);
});

Deno.test("withTableDefaults() invents no spec", () => {
  assertEquals(withTableDefaults({ metadata: {} }), { metadata: { finalizers: ["kopf.demo/tablewright"] } });
});
