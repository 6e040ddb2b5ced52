import type { SpecPart } from "../harness/table_objects.ts";

/** A change of a table, and what both the webhook and the loop must say to it. */
export interface ParityCase {
  readonly title: string;
  /** Applied before, and Ready; absent: the object is new. */
  readonly old?: SpecPart;
  /** The spec of another object which has made the table before. */
  readonly owner?: SpecPart;
  /** Run by the superuser between the two; `TABLE` is the table's name, `ROLE` the operator's role. */
  readonly sql?: readonly string[];
  readonly next: SpecPart;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Field paths of the faults, sorted; none: it is accepted. */
  readonly faults?: readonly string[];
  /** The reason of Ready where it is accepted; `Reconciled` if absent. */
  readonly reason?: string;
}

const ID = { ID: "integer" };

/** A spec with a key and these other columns. */
export function columns(...more: readonly unknown[]): SpecPart {
  return { columns: [ID, ...more] };
}

/** The spec with a change policy that allows these kinds of change. */
export function allowing(spec: SpecPart, ...allow: readonly string[]): SpecPart {
  return { ...spec, changePolicy: { allow } };
}
