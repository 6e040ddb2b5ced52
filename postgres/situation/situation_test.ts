import { assertEquals } from "@std/assert";
import type { OwnedTable } from "../registry/registry.ts";
import { emptyRelation, type Relation } from "../catalog/relation.ts";
import { judgeSituation } from "./situation.ts";
import { emptyTable } from "../table.ts";

const OWNER = { clusterId: "c", namespace: "n", name: "a", uid: "u", generation: 1 };
const DESIRED = emptyTable("public", "t");

const ROW: OwnedTable = {
  id: "1",
  schema: "public",
  table: "t",
  oid: 7,
  owner: OWNER,
  specHash: "",
  origin: "created",
  members: { column: [], constraint: [], index: [] },
  expressions: {},
  fingerprint: "42",
  epochChanged: false,
};

const RELATION: Relation = { ...emptyRelation("public", "t"), oid: 7 };

function judge(
  row: OwnedTable | undefined,
  relations: readonly Relation[],
  others: readonly OwnedTable[] = [],
): string {
  const rows = [...(row === undefined ? [] : [row]), ...others];
  const situation = judgeSituation({
    claimant: { owner: OWNER, desired: DESIRED },
    rows,
    row,
    relations,
    schema: { exists: true, mayCreate: true },
    targets: new Map(),
    server: { version: 18, taken: [] },
  });
  return situation.kind === "conflict" ? situation.conflict.kind : situation.kind;
}

Deno.test("judgeSituation() knows our table by oid, also under another name", () => {
  assertEquals(judge(ROW, [RELATION]), "owned");
  assertEquals(judge(ROW, [{ ...RELATION, name: "renamed_by_hand" }]), "owned");
});

Deno.test("judgeSituation() never takes a stranger's table, also when our own is gone or was never made", () => {
  assertEquals(judge(undefined, [RELATION]), "NotOwned");
  assertEquals(judge(ROW, [{ ...RELATION, oid: 8 }]), "NotOwned");
  const { oid: _oid, ...claimed } = ROW;
  assertEquals(judge({ ...claimed, oid: undefined, fingerprint: "0" }, [RELATION]), "NotOwned");
});

Deno.test("judgeSituation() finds our table by name after a restore", () => {
  assertEquals(judge({ ...ROW, oid: undefined, epochChanged: true }, [{ ...RELATION, oid: 9 }]), "owned");
});

Deno.test("judgeSituation() tells who owns the name, and what else holds it", () => {
  const other = { ...ROW, id: "2", owner: { ...OWNER, uid: "v", name: "b" } };
  assertEquals(judge(undefined, [RELATION], [other]), "OwnedByOther");
  assertEquals(judge(undefined, [{ ...RELATION, kind: "view" }]), "NameTaken");
});

Deno.test("judgeSituation() leaves a table alone that is ours no more", () => {
  assertEquals(judge(ROW, [{ ...RELATION, ownedByRole: false }]), "NotOrdinary");
  assertEquals(judge(ROW, [{ ...RELATION, peculiarities: ["it has row security"] }]), "NotOrdinary");
});

Deno.test("judgeSituation() takes a table that nobody owns only where nothing stands against it", () => {
  const adopted: OwnedTable = { ...ROW, origin: "adopted", fingerprint: "0" };
  const judged = (obstacles: readonly string[], others: readonly OwnedTable[] = []) => {
    const situation = judgeSituation({
      claimant: { owner: OWNER, desired: DESIRED, adoption: { policy: "IfIdentical", renames: new Map() } },
      rows: others,
      row: undefined,
      relations: [RELATION],
      schema: { exists: true, mayCreate: true },
      targets: new Map(),
      server: { version: 18, taken: [] },
      adoptable: { obstacles, row: adopted },
    });
    return situation.kind === "conflict" ? situation.conflict.kind : [situation.kind, "adopting" in situation];
  };
  assertEquals(judged([]), ["owned", true]);
  assertEquals(judged(["it has triggers (x)"]), "NotAdoptable");
  assertEquals(judged([], [{ ...ROW, id: "2", owner: { ...OWNER, uid: "v" } }]), "OwnedByOther");
});
