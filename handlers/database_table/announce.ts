import { isSameJson } from "../../crds/same_json.ts";
import type { Statement } from "../../postgres/statement/statement.ts";
import type { Attempt } from "./attempt.ts";
import type { RecordEvent } from "./context.ts";
import { describeDrift, type Drift, driftEntries } from "./drift/drift.ts";
import type { Ran } from "./status_report.ts";

/** What applying did before it ended. */
interface Deeds {
  readonly statements: readonly Statement[];
  readonly created: boolean;
  readonly adopted: boolean;
}

/**
 * Tells in events what ran.
 *
 * @param found What drifted before anything ran: then it was put right.
 * @returns the same for the status; `undefined` if nothing ran.
 */
export function announceDeeds({ object, context }: Attempt, deeds: Deeds, found: Drift): Ran | undefined {
  const statements = deeds.statements.map(({ sql }) => sql);
  if (statements.length === 0) return deeds.adopted ? { change: "Adopted", statements } : undefined;
  const isCorrection = found.named.length > 0;
  const change = isCorrection ? "Corrected" : deeds.created ? "Created" : "Altered";
  if (isCorrection) context.recordEvent(object, driftEvent({ ...found, unnamed: [] }));
  context.recordEvent(object, { type: "Normal", reason: change, note: statements.join("; ") });
  return { change: deeds.adopted ? "Adopted" : change, statements };
}

/** Tells drift once: what the status says already is not told again. */
export function announceDrift({ object, context }: Attempt, drift: Drift): void {
  const entries = driftEntries(drift);
  if (entries.length === 0 || isSameJson(entries, object.status?.drift)) return;
  context.recordEvent(object, driftEvent(drift));
}

function driftEvent(drift: Drift): Parameters<RecordEvent>[1] {
  return { type: "Warning", reason: "Drifted", note: describeDrift(drift) };
}
