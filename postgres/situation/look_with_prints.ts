import type { Database, TransactionOptions } from "../session/client.ts";
import { type DeclaredPrints, openSketches, printsOf } from "./adopted_texts.ts";
import { printOnScratch } from "./scratch.ts";
import { type Claimant, isAdopting, type Situation } from "./situation.ts";

/** What stands where a claimant wants its table. */
export interface Seen<C extends Claimant = Claimant> {
  readonly claimant: C;
  readonly situation: Situation;
}

/**
 * Looks, and looks again when the table may be taken over and has expressions of which only the server can tell whether they
 * are those of the spec: `b ^ 2` is stored as `((b)::double precision ^ (2)::double precision)`.
 *
 * @param look With what the server prints for the spec, if that was asked.
 * @throws {PostgresError} as `look()`, and if the server cannot be asked.
 */
export async function lookWithPrints<S extends Seen>(
  database: Database,
  limits: Omit<TransactionOptions, "readOnly">,
  look: (prints: DeclaredPrints | undefined) => Promise<S>,
): Promise<S> {
  const seen = await look(undefined);
  const { claimant, situation } = seen;
  if (situation.kind !== "owned" || !isAdopting(situation)) return seen;
  const { relation, row } = situation;
  const prints = new Map<string, string>();
  for (const sketch of await openSketches(relation, claimant.desired, row.expressions)) {
    const printed = await printOnScratch(database, { relation, sketch }, limits);
    for (const [key, text] of printed === undefined ? [] : printsOf(sketch, printed)) prints.set(key, text);
  }
  return prints.size === 0 ? seen : await look(prints);
}

/** The claimant with what the server prints. */
export function withPrints<C extends Claimant>(claimant: C, prints: DeclaredPrints | undefined): C {
  const { adoption } = claimant;
  return adoption === undefined || prints === undefined ? claimant : { ...claimant, adoption: { ...adoption, prints } };
}
