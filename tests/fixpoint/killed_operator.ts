/**
 * An operator in a process of its own, which somebody kills: applies the spec of its first argument (a {@linkcode Errand} as
 * JSON).
 */
import { applyTable } from "../../postgres/apply/apply.ts";
import { openDatabase } from "../../postgres/session/client.ts";
import type { Spec } from "./case.ts";
import { subjectOf } from "./fixpoint_database.ts";

/** What to apply, and where. */
export interface Errand {
  readonly url: string;
  readonly neighbours: string;
  readonly spec: Spec;
  readonly place: { readonly schema: string; readonly number: number; readonly generation: number };
}

/** Nobody in these tests waits so long. */
const LIMIT_MS = 120_000;

if (import.meta.main) {
  const { url, neighbours, spec, place } = JSON.parse(Deno.args[0] ?? "") as Errand;
  const database = openDatabase({ url, applicationName: "tablewright-killed", maxConnections: 1 });
  const { owner, wanted } = await subjectOf({ neighbours }, spec, place);
  await applyTable<never>(database, {
    ...wanted,
    owner,
    specHash: JSON.stringify(wanted.desired),
    wasMade: false,
    isLiving: () => Promise.resolve(true),
    verify: () => Promise.resolve({ faults: [], searchPath: [] }),
    judge: () => [],
  }, { lockTimeoutMs: LIMIT_MS, statementTimeoutMs: LIMIT_MS, signal: new AbortController().signal });
  await database.close();
}
