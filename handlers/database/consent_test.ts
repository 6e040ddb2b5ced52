import { assertEquals } from "@std/assert";
import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import { formatFieldError } from "../../crds/field_error.ts";
import { consentsTo } from "./consent.ts";

function allowedOf(allowedTables: unknown) {
  const decoded = decodeDatabaseSpec({ type: "postgres", ...(allowedTables === undefined ? {} : { allowedTables }) });
  if (!decoded.ok) throw new Error(decoded.errors.map(formatFieldError).join("; "));
  return decoded.value.allowedTables;
}

function asks(allowedTables: unknown, labels: Record<string, string> | undefined, name = "team"): boolean {
  return consentsTo(allowedOf(allowedTables), "shop", { name, labels });
}

const select = (selector: unknown) => ({ namespaces: { from: "Selector", selector } });

Deno.test("consentsTo() lets in its own namespace alone unless the spec says otherwise", () => {
  assertEquals(asks(undefined, {}, "shop"), true);
  assertEquals(asks(undefined, {}), false);
  assertEquals(asks({ namespaces: { from: "All" } }, undefined), true);
});

Deno.test("consentsTo() with a selector looks at the labels of the namespace", () => {
  assertEquals(asks(select({ matchLabels: { tier: "app" } }), { tier: "app", more: "x" }), true);
  assertEquals(asks(select({ matchLabels: { tier: "app" } }), { tier: "db" }), false);
  assertEquals(asks(select({ matchLabels: { tier: "app" } }), undefined), false);
  const expressions = (...matchExpressions: unknown[]) => select({ matchExpressions });
  assertEquals(asks(expressions({ key: "a", operator: "In", values: ["1", "2"] }), { a: "2" }), true);
  assertEquals(asks(expressions({ key: "a", operator: "NotIn", values: ["1"] }), { a: "1" }), false);
  assertEquals(asks(expressions({ key: "a", operator: "NotIn", values: ["1"] }), {}), true);
  assertEquals(asks(expressions({ key: "a", operator: "Exists" }), {}), false);
  assertEquals(
    asks(expressions({ key: "a", operator: "DoesNotExist" }, { key: "b", operator: "Exists" }), { b: "" }),
    true,
  );
  assertEquals(asks(expressions({ key: "constructor", operator: "Exists" }), {}), false);
});

Deno.test("decodeDatabaseSpec() refuses an allowedTables that says two things, or nothing", () => {
  const faults = (allowedTables: unknown) => {
    const decoded = decodeDatabaseSpec({ type: "postgres", allowedTables });
    return decoded.ok ? [] : decoded.errors.map(({ path }) => path);
  };
  const path = "spec.allowedTables.namespaces";
  assertEquals(faults({ namespaces: { from: "Selector" } }), [`${path}.selector`]);
  assertEquals(faults({ namespaces: { from: "All", selector: {} } }), [`${path}.selector`]);
  assertEquals(faults({ namespaces: { from: "Some" } }), [`${path}.from`]);
  assertEquals(
    faults({ namespaces: { from: "Selector", selector: { matchExpressions: [{ key: "a", operator: "In" }] } } }),
    [
      `${path}.selector.matchExpressions[0]`,
    ],
  );
});
