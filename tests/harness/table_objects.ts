import { assertEquals } from "@std/assert";
import type { Answer } from "./kubectl.ts";
import { condition, type TestOperator } from "./operator.ts";
import { eventually } from "./wait.ts";

/** A manifest as a test writes it: the part of a spec that matters to it. */
export type SpecPart = Readonly<Record<string, unknown>>;

/** DatabaseTables of one operator, as their user sees them. The table of `line-items` is `line_items`, its key `ID integer`. */
export class TableObjects {
  readonly #operator: TestOperator;

  constructor(operator: TestOperator) {
    this.#operator = operator;
  }

  manifest(name: string, spec: SpecPart): unknown {
    const metadata = { name, namespace: this.#operator.namespace };
    const whole = { tableName: name.replaceAll("-", "_"), columns: [{ ID: "integer" }], primaryKey: "ID", ...spec };
    return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata, spec: whole };
  }

  async apply(name: string, spec: SpecPart): Promise<Answer> {
    return await this.#operator.kubectl.apply(this.manifest(name, spec));
  }

  /** Applies what must be accepted and answers the warnings; what became of it is asked with `ready()`. */
  async accepted(name: string, spec: SpecPart): Promise<string> {
    const { code, stderr } = await this.apply(name, spec);
    assertEquals(code, 0, stderr);
    return stderr;
  }

  /** Applies what must become Ready; answers the warnings. */
  async applied(name: string, spec: SpecPart): Promise<string> {
    const shown = await this.accepted(name, spec);
    await this.ready(name);
    return shown;
  }

  async ready(name: string): Promise<void> {
    await condition(this.#operator, name, { type: "Ready", status: "True" });
  }

  /** Applies what must be denied; answers the reasons, one a line: `spec.columns[1].NOTE: …`. */
  async denied(name: string, spec: SpecPart): Promise<readonly string[]> {
    const { code, stderr } = await this.apply(name, spec);
    assertEquals(code, 1, `${name} was accepted: ${stderr}`);
    return reasonsOf(stderr);
  }

  /** The object in words: its reason, if it is not ready. */
  async message(name: string, reason: string): Promise<string> {
    return String(
      (await condition(this.#operator, name, { type: "Ready", status: "False", reason }))["message"],
    );
  }

  /** The loop looks at an object when something happens to it. */
  async touch(name: string): Promise<void> {
    const note = `example.com/touched=${crypto.randomUUID()}`;
    await this.#operator.kubectl.ok(["annotate", "--overwrite", "databasetable", name, note]);
  }

  /** Every word that users can read about the objects of this namespace: status and events. */
  async everythingSaid(): Promise<string> {
    const { kubectl } = this.#operator;
    return await kubectl.ok(["get", "databasetables", "-o", "json", "--show-managed-fields=false"]) +
      await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"]);
  }

  /** What ran on a table so far, as the registry remembers it. */
  async historyOf(table: string): Promise<readonly string[]> {
    const rows = await this.#operator.sql(
      `SELECT unnest(h.statements) AS statement FROM tablewright.history AS h
       JOIN tablewright.owned_table AS t ON t.id = h.table_id WHERE t.table_name = '${table}' ORDER BY h.n`,
    );
    return rows.map((row) => String(row["statement"]));
  }

  /** Constraints but NOT NULL, and indexes of no constraint, as PostgreSQL prints them: `name: definition`, sorted. */
  async partsOf(table: string): Promise<readonly string[]> {
    // An index may go while it is printed: `pg_get_indexdef()` reads the catalog as it is, not as the query's snapshot has it.
    return await eventually(`the parts of ${table} are read`, () => this.#readParts(table).catch(unlessGone));
  }

  async #readParts(table: string): Promise<readonly string[]> {
    const rows = await this.#operator.sql(
      `SELECT conname || ': ' || pg_get_constraintdef(oid) AS line FROM pg_constraint
       WHERE conrelid = 'public.${table}'::regclass AND contype <> 'n'
       UNION ALL SELECT c.relname || ': ' || substring(pg_get_indexdef(c.oid) FROM ' USING .*')
         || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END || CASE WHEN i.indisunique THEN ' UNIQUE' ELSE '' END
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
       WHERE i.indrelid = 'public.${table}'::regclass
         AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.conrelid = i.indrelid)`,
    );
    return rows.map((row) => String(row["line"])).toSorted();
  }
}

function unlessGone(error: unknown): undefined {
  if (error instanceof Error && error.message.startsWith("cache lookup failed for ")) return undefined;
  throw error;
}

/** kubectl prints one fault as a sentence and several as bullets; answers the faults of both forms. */
export function reasonsOf(stderr: string): readonly string[] {
  const text = stderr.split("\n").filter((line) => !line.startsWith("Warning: ")).join("\n").trim();
  const start = text.indexOf("is invalid: ");
  if (start < 0) return [text];
  return text.slice(start + "is invalid: ".length).split("\n").map((line) => line.trim().replace(/^\* /, ""))
    .filter((line) => line !== "");
}

/** Warnings without their prefix. */
export function warningsOf(stderr: string): readonly string[] {
  return stderr.split("\n").flatMap((line) => line.startsWith("Warning: ") ? [line.slice("Warning: ".length)] : []);
}
