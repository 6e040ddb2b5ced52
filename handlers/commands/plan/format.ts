import { formatFieldError } from "../../../crds/field_error.ts";
import type { Statement } from "../../../postgres/statement/statement.ts";
import type { ForeignKey } from "../../../postgres/table.ts";
import { describeApprovalNeeded } from "../../database_table/verdict/approval.ts";
import { EXIT, type ExitCode } from "../terminal.ts";
import type { PlannedManifest } from "./planned.ts";

/** The plans as SQL that psql could run, everything else in comments. Pure. */
export function formatText(planned: readonly PlannedManifest[]): string {
  return planned.map((each) => [...headOf(each), ...bodyOf(each)].join("\n")).join("\n\n");
}

function headOf({ manifest, table, outcome, notes }: PlannedManifest): readonly string[] {
  const title = `-- ${manifest.namespace}/${manifest.name}${table === undefined ? "" : `: table ${table}`}`;
  const approval = outcome.kind === "changes" ? outcome.approval : undefined;
  const waits = approval === undefined ? [] : [describeApprovalNeeded(approval).replace("NAME", manifest.name)];
  return [
    `${comment(title)}: ${summaryOf(outcome)}`,
    ...[...waits, ...notes].map((note) => comment(`-- note: ${note}`)),
  ];
}

function summaryOf(outcome: PlannedManifest["outcome"]): string {
  switch (outcome.kind) {
    case "nothing":
      return "nothing to do";
    case "changes": {
      const { statements: { length }, approval } = outcome;
      const waits = approval === undefined ? "" : ", after an approval";
      return `${length} ${length === 1 ? "statement" : "statements"}${waits}`;
    }
    case "refused":
      return "refused";
    case "unknown":
      return "could not be judged";
  }
}

function bodyOf({ outcome }: PlannedManifest): readonly string[] {
  switch (outcome.kind) {
    case "nothing":
      return [];
    case "changes":
      return [
        ...outcome.statements.flatMap((each) => [`${each.sql};`, ...effectsOf(each).map((line) => `--   ${line}`)]),
        ...outcome.waiting.map((key) => comment(`-- waits: ${waitingLine(key)}`)),
      ];
    case "refused":
      return outcome.faults.map((fault) => comment(`--   ${formatFieldError(fault)}`));
    case "unknown":
      return [comment(`--   ${outcome.reason}`)];
  }
}

function effectsOf({ locks, hazards, rewrites, concurrent }: Statement): readonly string[] {
  const lines = locks.map(({ mode, table }) => `${mode} lock on ${table}`);
  if (rewrites) lines.push("rewrites the table");
  if (concurrent) lines.push("runs outside of a transaction");
  return hazards.length === 0 ? lines : [...lines, `hazards: ${hazards.join(", ")}`];
}

function waitingLine({ columns, references }: ForeignKey): string {
  return `the foreign key (${columns.join(", ")}) until ${references.schema}.${references.table} exists`;
}

/** A name may hold anything: behind a line break it would be no comment. */
function comment(line: string): string {
  return line.replaceAll(/[\r\n\u2028\u2029]+/g, " ");
}

/** The same for programs. Pure. */
export function formatJson(planned: readonly PlannedManifest[]): string {
  const tables = planned.map(({ manifest: { source, namespace, name }, table, outcome, notes }) => {
    const { kind: result, ...rest } = outcome;
    return { source, namespace, name, ...(table === undefined ? {} : { table }), result, ...rest, notes };
  });
  return JSON.stringify({ tables }, null, 2);
}

/** What could not be judged is worse than what is refused, for nobody knows what it would do. */
export function exitCodeOf(planned: readonly PlannedManifest[]): ExitCode {
  const kinds = new Set(planned.map(({ outcome }) => outcome.kind));
  if (kinds.has("unknown")) return EXIT.failed;
  if (kinds.has("refused")) return EXIT.refused;
  return kinds.has("changes") ? EXIT.changes : EXIT.ok;
}
