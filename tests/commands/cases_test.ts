import { assertEquals } from "@std/assert";
import { importCommand } from "../../handlers/commands/import/command.ts";
import { planCommand } from "../../handlers/commands/plan/command.ts";
import type { Spec } from "../fixpoint/case.ts";
import { COLUMN_CASES } from "../fixpoint/cases/columns.ts";
import { CONSTRAINT_CASES } from "../fixpoint/cases/constraints.ts";
import { INDEX_CASES } from "../fixpoint/cases/indexes.ts";
import { TYPE_CASES } from "../fixpoint/cases/types.ts";
import { FixpointDatabase } from "../fixpoint/fixpoint_database.ts";
import { isEverything } from "../versions/everything.ts";
import { captureTerminal } from "../harness/captured_terminal.ts";

const { signal } = new AbortController();
let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("command_cases");
});
Deno.test.afterAll(() => at?.stop());

const CASES = [...COLUMN_CASES, ...TYPE_CASES, ...CONSTRAINT_CASES, ...INDEX_CASES];
/** Each different spec once; a rename says nothing about a table that is new. */
const SPECS = [...new Set(CASES.map(({ next }) => JSON.stringify(next)))]
  .filter((text) => !text.includes("renamedFrom") && !text.includes('"using"'));
/** One of so many in every run, all of them by `deno task test:postgres`. */
const SAMPLE = 8;

interface Plan {
  readonly code: number;
  readonly statements: readonly string[];
  readonly report: string;
}

async function plan(manifests: string): Promise<Plan> {
  const terminal = captureTerminal({ DATABASE_URL: at.server.url }, manifests);
  const code = await planCommand(
    { files: ["-"], output: "json", namespace: "default", allowedFunctions: new Set<string>() },
    terminal,
    signal,
  );
  const report = terminal.stdout.join("\n");
  const { tables } = JSON.parse(report) as { tables: { statements?: { sql: string }[] }[] };
  return { code, report, statements: tables.flatMap(({ statements = [] }) => statements.map(({ sql }) => sql)) };
}

function manifest(spec: Spec): string {
  const metadata = { name: "t" };
  return JSON.stringify({ apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata, spec });
}

/** @returns why it does not hold. */
async function roundTrip(text: string): Promise<string | undefined> {
  const spec = JSON.parse(text.replaceAll(/\bapp\b/g, at.neighbours)) as Spec;
  const schema = await at.schema("import");
  const made = await plan(manifest({ ...spec, schema }));
  if (made.code !== 2) return `the spec is planned with ${made.code}: ${made.report}`;
  await at.run(...made.statements.map((sql) => sql.replace(/ CONCURRENTLY /, " ")));
  const terminal = captureTerminal({ DATABASE_URL: at.server.url });
  const code = await importCommand({ schema, tables: [], allowedFunctions: new Set<string>() }, terminal, signal);
  if (code !== 0) return `import leaves out: ${terminal.stderr.join("; ")}`;
  const imported = await plan(terminal.stdout.join("\n"));
  return imported.code === 0 ? undefined : `what import printed plans something: ${imported.report}`;
}

Deno.test("for every spec of the planner's cases, plan prints what makes the table, and import prints it back", async () => {
  const broken: string[] = [];
  for (const text of SPECS.filter((_, index) => isEverything() || index % SAMPLE === 0)) {
    const why = await roundTrip(text);
    if (why !== undefined) broken.push(`${text}: ${why}`);
  }
  assertEquals(broken, []);
  assertEquals(SPECS.length > 200, true);
});
