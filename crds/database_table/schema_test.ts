import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import manifest from "../databasetables.kopf.demo.yaml" with { type: "text" };
import { formatFieldError } from "../field_error.ts";
import { decodeTableSpec } from "./decode.ts";
import {
  ADOPTION_POLICIES,
  ALLOWED_CHANGES,
  DEFERRABILITIES,
  DELETION_POLICIES,
  DRIFT_ACTIONS,
  IDENTITIES,
  MAX_COLUMNS,
  MAX_COMMENT,
  MAX_KEYS,
  MAX_PARTS,
  NULLS_ORDERS,
  ONLINE_MODES,
  REFERENTIAL_ACTIONS,
  SORT_ORDERS,
  TABLE_MODES,
} from "./types.ts";

/** The part of a structural schema that these tests read. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

interface Definition {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

const definition = parse(manifest) as Definition;
const root = definition.spec.versions[0]?.schema.openAPIV3Schema ?? {};
const spec = at(root, "spec");

/** The schema behind names, `[]` for the items of a list and `*` for any property. */
function at(schema: Schema, ...steps: readonly string[]): Schema {
  return steps.reduce<Schema>((current, step) => {
    const next = step === "[]"
      ? current.items
      : step === "*"
      ? current.additionalProperties
      : current.properties?.[step];
    if (next === undefined) throw new Error(`the schema has no ${steps.join(".")}`);
    return next;
  }, schema);
}

/** The fields that the decoder knows, from its own fault. */
function knownFields(specWithUnknown: unknown, path: string): readonly string[] {
  const faults = decodeTableSpec(specWithUnknown).errors.map(formatFieldError);
  const fault = faults.find((each) => each.startsWith(`${path}.nope: unknown field; known are `)) ?? "";
  return fault.slice(fault.indexOf("known are ") + "known are ".length).split(", ").sort();
}

function fieldsOf(schema: Schema): readonly string[] {
  return Object.keys(schema.properties ?? {}).sort();
}

Deno.test("The schema of DatabaseTable has exactly the fields that the decoder knows", () => {
  const nope = { nope: 1 };
  const cases: readonly (readonly [schema: Schema, spec: unknown, path: string])[] = [
    [spec, nope, "spec"],
    [at(spec, "columns", "[]", "*"), { columns: [{ A: nope }] }, "spec.columns[0].A"],
    [
      at(spec, "columns", "[]", "*", "references"),
      { columns: [{ A: { references: nope } }] },
      "spec.columns[0].A.references",
    ],
    [at(spec, "uniqueConstraints", "[]"), { uniqueConstraints: [nope] }, "spec.uniqueConstraints[0]"],
    [at(spec, "checks", "[]"), { checks: [nope] }, "spec.checks[0]"],
    [at(spec, "foreignKeys", "[]"), { foreignKeys: [nope] }, "spec.foreignKeys[0]"],
    [
      at(spec, "foreignKeys", "[]", "references"),
      { foreignKeys: [{ references: nope }] },
      "spec.foreignKeys[0].references",
    ],
    [at(spec, "indexes", "[]"), { indexes: [nope] }, "spec.indexes[0]"],
    [at(spec, "indexes", "[]", "columns", "[]"), { indexes: [{ columns: [nope] }] }, "spec.indexes[0].columns[0]"],
    [at(spec, "changePolicy"), { changePolicy: nope }, "spec.changePolicy"],
    [at(spec, "drift"), { drift: nope }, "spec.drift"],
  ];
  for (const [schema, faulty, path] of cases) assertEquals(fieldsOf(schema), knownFields(faulty, path));
});

Deno.test("The schema of DatabaseTable has the enumerations and limits of the decoder", () => {
  const column = at(spec, "columns", "[]", "*");
  const key = at(spec, "foreignKeys", "[]");
  const index = at(spec, "indexes", "[]");
  const enums: readonly (readonly [Schema, readonly string[]])[] = [
    [at(column, "identity"), IDENTITIES],
    [at(column, "references", "onDelete"), REFERENTIAL_ACTIONS],
    [at(column, "references", "onUpdate"), REFERENTIAL_ACTIONS],
    [at(key, "onDelete"), REFERENTIAL_ACTIONS],
    [at(key, "onUpdate"), REFERENTIAL_ACTIONS],
    [at(key, "deferrable"), DEFERRABILITIES],
    [at(index, "columns", "[]", "order"), SORT_ORDERS],
    [at(index, "columns", "[]", "nulls"), NULLS_ORDERS],
    [at(spec, "changePolicy", "allow", "[]"), ALLOWED_CHANGES],
    [at(spec, "changePolicy", "online"), ONLINE_MODES],
    [at(spec, "drift", "action"), DRIFT_ACTIONS],
    [at(spec, "mode"), TABLE_MODES],
    [at(spec, "deletionPolicy"), DELETION_POLICIES],
    [at(spec, "adoptionPolicy"), ADOPTION_POLICIES],
  ];
  for (const [schema, members] of enums) assertEquals(schema.enum, members);
  assertEquals(at(spec, "columns").maxItems, MAX_COLUMNS);
  for (const list of ["uniqueConstraints", "checks", "foreignKeys", "indexes"]) {
    assertEquals(at(spec, list).maxItems, MAX_PARTS);
  }
  for (const list of [at(key, "columns"), at(index, "columns"), at(index, "include")]) {
    assertEquals(list.maxItems, MAX_KEYS);
  }
  assertEquals([at(spec, "comment").maxLength, at(column, "comment").maxLength], [MAX_COMMENT, MAX_COMMENT]);
  assertEquals(at(spec, "changePolicy", "allow").maxItems, ALLOWED_CHANGES.length);
});

Deno.test("Every field of the spec is described and bounded", () => {
  const visit = (schema: Schema, path: string) => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      assert((field.description ?? "").length > 10, `${path}.${name} is not described`);
      visit(field, `${path}.${name}`);
    }
    if (schema.type === "array") assert(schema.maxItems !== undefined, `${path} has no maxItems`);
    if (schema.type === "string") assert((schema.maxLength ?? schema.enum) !== undefined, `${path} has no maxLength`);
    if (schema.items !== undefined) visit(schema.items, `${path}[]`);
    if (schema.additionalProperties !== undefined) visit(schema.additionalProperties, `${path}.*`);
  };
  visit(spec, "spec");
});
