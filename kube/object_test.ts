import { assertEquals, assertThrows } from "@std/assert";
import { apiVersionOf, keyOf, resourcePath } from "./object.ts";

const tables = { group: "kopf.demo", version: "v1", plural: "databasetables", kind: "DatabaseTable", namespaced: true };
const nodes = { group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false };

Deno.test("resourcePath() names collections, objects and subresources", () => {
  assertEquals(resourcePath(tables), "/apis/kopf.demo/v1/databasetables");
  assertEquals(resourcePath(tables, { namespace: "a" }), "/apis/kopf.demo/v1/namespaces/a/databasetables");
  assertEquals(
    resourcePath(tables, { namespace: "a", name: "b", subresource: "status" }),
    "/apis/kopf.demo/v1/namespaces/a/databasetables/b/status",
  );
  assertEquals(resourcePath(nodes, { name: "n" }), "/api/v1/nodes/n");
});

Deno.test("resourcePath() escapes a name, so that it never reaches another path", () => {
  assertEquals(
    resourcePath(tables, { namespace: "a", name: "../x?y" }),
    "/apis/kopf.demo/v1/namespaces/a/databasetables/..%2Fx%3Fy",
  );
});

Deno.test("resourcePath() refuses names that a URL would resolve", () => {
  for (const name of [".", ".."]) {
    assertThrows(() => resourcePath(tables, { namespace: "a", name }), TypeError, "Cannot name an object");
  }
});

Deno.test("resourcePath() refuses an object of a namespaced kind without its namespace", () => {
  assertThrows(() => resourcePath(tables, { name: "b" }), TypeError, "Cannot name a DatabaseTable");
});

Deno.test("apiVersionOf() leaves the core group out", () => {
  assertEquals(apiVersionOf(tables), "kopf.demo/v1");
  assertEquals(apiVersionOf(nodes), "v1");
});

Deno.test("keyOf() leaves out a namespace that is not there", () => {
  assertEquals(keyOf({ metadata: { name: "a" } }), "a");
  assertEquals(keyOf({ metadata: { namespace: "n", name: "a" } }), "n/a");
});
