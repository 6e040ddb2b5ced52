import type { Relation } from "../../../postgres/catalog/catalog.ts";
import { tableOf } from "../../../postgres/catalog/observed.ts";
import type { OwnedTable } from "../../../postgres/registry/registry.ts";
import { emptyTable, type Table } from "../../../postgres/table.ts";

const NOBODY = { clusterId: "", namespace: "", name: "", uid: "", generation: 0 };

/** All of a table that a spec could ask for, as if it were ours; what no spec could is `unmanaged`. Pure. */
export function wholeTable(relation: Relation): Table {
  const { schema, name, oid } = relation;
  // A column that is computed when it is read cannot be told apart from a stored one in a spec.
  const column = relation.columns.filter(({ virtual }) => virtual !== true).map((each) => each.name);
  const row: OwnedTable = {
    id: "",
    schema,
    table: name,
    oid,
    owner: NOBODY,
    specHash: "",
    origin: "created",
    members: {
      column,
      constraint: relation.constraints.map((each) => each.name),
      index: relation.indexes.map((each) => each.name),
    },
    expressions: {},
    fingerprint: "0",
    epochChanged: false,
  };
  return tableOf(relation, { row, desired: emptyTable(schema, name) });
}
