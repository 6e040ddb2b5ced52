import { assertEquals } from "@std/assert";
import { defaultTableSpec, policiesToWrite } from "./default.ts";

const SPEC = { tableName: "T", columns: [], primaryKey: "ID" };

Deno.test("defaultTableSpec() fills in everything that may be left out", () => {
  assertEquals(defaultTableSpec(SPEC), {
    ...SPEC,
    schema: "public",
    uniqueConstraints: [],
    checks: [],
    foreignKeys: [],
    indexes: [],
    changePolicy: { allow: [], lockTimeoutSeconds: 3, statementTimeoutSeconds: 60, online: "Prefer" },
    drift: { action: "Correct" },
    mode: "Apply",
    suspend: false,
    adoptionPolicy: "Never",
    deletionPolicy: "Delete",
    approval: "Automatic",
  });
});

Deno.test("defaultTableSpec() keeps what is there", () => {
  const { changePolicy, schema } = defaultTableSpec({
    ...SPEC,
    schema: "s",
    changePolicy: { allow: ["DropColumn"], online: "Never" },
  });
  assertEquals(schema, "s");
  assertEquals(changePolicy, {
    allow: ["DropColumn"],
    lockTimeoutSeconds: 3,
    statementTimeoutSeconds: 60,
    online: "Never",
  });
});

Deno.test("defaultTableSpec() keeps a table that may be somebody else's, and adopts what kopf made", () => {
  assertEquals(defaultTableSpec({ ...SPEC, adoptionPolicy: "IfIdentical" }).deletionPolicy, "Retain");
  assertEquals(
    defaultTableSpec({ ...SPEC, adoptionPolicy: "IfIdentical", deletionPolicy: "Delete" }).deletionPolicy,
    "Delete",
  );
  const { adoptionPolicy, deletionPolicy } = defaultTableSpec(SPEC, "Kopf");
  assertEquals([adoptionPolicy, deletionPolicy], ["IfCompatible", "Retain"]);
});

Deno.test("policiesToWrite() writes what is absent, and on an update what stood there before", () => {
  assertEquals(policiesToWrite({}, undefined), { adoptionPolicy: "Never", deletionPolicy: "Delete" });
  assertEquals(policiesToWrite({}, undefined, "Kopf"), { adoptionPolicy: "IfCompatible", deletionPolicy: "Retain" });
  assertEquals(policiesToWrite({ adoptionPolicy: "IfCompatible", deletionPolicy: "Delete" }, undefined), {});
  assertEquals(policiesToWrite({}, { adoptionPolicy: "IfIdentical", deletionPolicy: "Delete" }), {
    adoptionPolicy: "IfIdentical",
    deletionPolicy: "Delete",
  });
  assertEquals(policiesToWrite({ adoptionPolicy: "Never" }, { adoptionPolicy: "IfIdentical" }), {
    deletionPolicy: "Retain",
  });
  assertEquals(policiesToWrite({}, { adoptionPolicy: "Never" }, "Kopf"), {
    adoptionPolicy: "Never",
    deletionPolicy: "Delete",
  });
});

Deno.test("policiesToWrite() writes nothing harmful beside what it does not understand", () => {
  assertEquals(policiesToWrite({ adoptionPolicy: "ifcompatible" }, undefined), { deletionPolicy: "Retain" });
  assertEquals(policiesToWrite({}, { adoptionPolicy: 5, deletionPolicy: "drop" }), {
    adoptionPolicy: "Never",
    deletionPolicy: "Delete",
  });
  assertEquals(policiesToWrite("x", {}), {});
});
