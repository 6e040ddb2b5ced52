/**
 * The table of `docs/column_changes.md`, made by the planner itself: each row is an old and a new spec.
 *
 * `deno run --allow-read --allow-write tests/documentation/column_changes.ts` writes it into the file.
 */
import { judgeBlindly } from "../../handlers/database_table/verdict/judge.ts";
import { understandSpec, type UnderstoodSpec } from "../../handlers/database_table/spec/understand.ts";
import { questionsFor } from "../../postgres/data/question.ts";
import type { Statement } from "../../postgres/statement/statement.ts";
import type { Table } from "../../postgres/table.ts";

export const DOCUMENT = "docs/column_changes.md";
const BEGIN = "<!-- begin: written by tests/documentation/column_changes.ts -->\n";
const END = "<!-- end -->";

type Part = Readonly<Record<string, unknown>>;

/** One change, on the table `t` with rows and with the columns `id` and `v`. */
interface Change {
  readonly what: string;
  /** The column V before and after; absent: there is none. */
  readonly from?: unknown;
  readonly to?: unknown;
  /** The rest of the spec before and after. */
  readonly before?: Part;
  readonly after?: Part;
}

interface Section {
  readonly title: string;
  readonly changes: readonly Change[];
}

const typeChange = (from: string, to: string): Change => ({ what: `\`${from}\` to \`${to}\``, from, to });

const same = (spec: Part): Pick<Change, "from" | "to" | "before" | "after"> => ({
  from: "text",
  to: "text",
  after: spec,
});
const gone = (spec: Part): Pick<Change, "from" | "to" | "before" | "after"> => ({
  from: "text",
  to: "text",
  before: spec,
});

const UNIQUE = { uniqueConstraints: [{ name: "v_once", columns: ["V"] }] };
const CHECK = { checks: [{ name: "v_set", expression: "V <> ''" }] };
const KEY = { foreignKeys: [{ name: "v_known", columns: ["V"], references: { table: "other", columns: ["ID"] } }] };
const INDEX = { indexes: [{ name: "t_v", columns: ["V"] }] };

const SECTIONS: readonly Section[] = [
  {
    title: "Columns",
    changes: [
      { what: "a new column", to: "text" },
      { what: "a new column with a default that is stored once", to: { type: "text", notNull: true, default: "x" } },
      { what: "a new column, NOT NULL without a default", to: { type: "text", notNull: true } },
      {
        what: "a new column with a default of its own for each row",
        to: { type: "uuid", defaultExpression: "gen_random_uuid()" },
      },
      { what: "a new identity column", to: { type: "integer", identity: "Always" } },
      { what: "a new generated column", to: { type: "integer", generatedAs: "ID * 2" } },
      { what: "a removed column", from: "text" },
      {
        what: "another name (`renamedFrom`)",
        from: "text",
        after: { columns: [{ ID: "integer" }, { W: { type: "text", renamedFrom: "V" } }] },
      },
      {
        what: "one column removed, one of its type added",
        from: "text",
        after: { columns: [{ ID: "integer" }, { W: "text" }] },
      },
      { what: "NOT NULL", from: "text", to: { type: "text", notNull: true } },
      { what: "no NOT NULL", from: { type: "text", notNull: true }, to: "text" },
      { what: "a new or another default", from: "text", to: { type: "text", default: "x" } },
      { what: "no default", from: { type: "text", default: "x" }, to: "text" },
      { what: "identity", from: "integer", to: { type: "integer", identity: "Always" } },
      {
        what: "another identity",
        from: { type: "integer", identity: "Always" },
        to: { type: "integer", identity: "ByDefault" },
      },
      { what: "no identity", from: { type: "integer", identity: "Always" }, to: { type: "integer", notNull: true } },
      {
        what: "another `generatedAs`",
        from: { type: "integer", generatedAs: "ID * 2" },
        to: { type: "integer", generatedAs: "ID * 3" },
      },
      { what: "no `generatedAs`", from: { type: "integer", generatedAs: "ID * 2" }, to: "integer" },
      { what: "`generatedAs` on a plain column", from: "integer", to: { type: "integer", generatedAs: "ID * 2" } },
      { what: "another collation", from: "text", to: { type: "text", collation: "C" } },
      { what: "a comment", from: "text", to: { type: "text", comment: "x" } },
    ],
  },
  {
    title: "Types",
    changes: [
      typeChange("varchar(20)", "varchar(50)"),
      typeChange("varchar(20)", "text"),
      typeChange("numeric(8,2)", "numeric(12,2)"),
      typeChange("timestamp(3)", "timestamp"),
      typeChange("cidr", "inet"),
      typeChange("smallint", "integer"),
      typeChange("integer", "bigint"),
      typeChange("integer", "numeric"),
      typeChange("real", "double precision"),
      typeChange("char(3)", "char(5)"),
      typeChange("numeric(8,2)", "numeric(12,4)"),
      typeChange("text", "varchar(20)"),
      typeChange("varchar(50)", "varchar(20)"),
      typeChange("bigint", "integer"),
      typeChange("numeric(12,2)", "numeric(8,2)"),
      typeChange("timestamp", "timestamptz"),
      typeChange("timestamptz", "date"),
      typeChange("integer", "text"),
      typeChange("integer[]", "bigint[]"),
      {
        what: "`text` to `integer` with `using`",
        from: "text",
        to: { type: "integer", using: "V::integer" },
      },
      { what: "a type and a default", from: { type: "varchar(20)", default: "x" }, to: { type: "text", default: "y" } },
    ],
  },
  {
    title: "Constraints",
    changes: [
      {
        what: "another primary key",
        from: { type: "text", notNull: true },
        to: { type: "text", notNull: true },
        after: { primaryKey: ["V"] },
      },
      { what: "a unique constraint", ...same(UNIQUE) },
      { what: "no unique constraint", ...gone(UNIQUE) },
      { what: "a check", ...same(CHECK) },
      {
        what: "another check of the same name",
        ...same({ checks: [{ name: "v_set", expression: "V <> '-'" }] }),
        before: CHECK,
      },
      { what: "no check", ...gone(CHECK) },
      { what: "a foreign key", ...same(KEY) },
      { what: "no foreign key", ...gone(KEY) },
      {
        what: "a foreign key, checked at COMMIT",
        ...same({ foreignKeys: [{ ...KEY.foreignKeys[0], deferrable: "InitiallyDeferred" }] }),
        before: KEY,
      },
      {
        what: "another name of a constraint",
        ...same({ uniqueConstraints: [{ name: "v_single", columns: ["V"] }] }),
        before: UNIQUE,
      },
    ],
  },
  {
    title: "Indexes and the table",
    changes: [
      { what: "an index", ...same(INDEX) },
      { what: "a unique index", ...same({ indexes: [{ name: "t_v", columns: ["V"], unique: true }] }) },
      {
        what: "an index over something else",
        ...same({ indexes: [{ name: "t_v", expressions: ["lower(V)"] }] }),
        before: INDEX,
      },
      { what: "another name of an index", ...same({ indexes: [{ name: "t_by_v", columns: ["V"] }] }), before: INDEX },
      { what: "no index", ...gone(INDEX) },
      { what: "another `tableName`", ...same({ tableName: "u" }) },
      { what: "a table comment", ...same({ comment: "x" }) },
    ],
  },
];

/** All sections as Markdown. */
export async function renderSections(): Promise<string> {
  const parts: string[] = [];
  for (const { title, changes } of SECTIONS) {
    const rows = [];
    for (const change of changes) rows.push(await renderRow(change));
    parts.push([
      `### ${title}`,
      "",
      "| Change | By default | What runs | Lock | Rows are asked first |",
      "|---|---|---|---|---|",
      ...rows,
      "",
    ].join("\n"));
  }
  return parts.join("\n");
}

/** The document with these sections between its marks. */
export function replaceSections(document: string, sections: string): string {
  const [head = "", rest = ""] = document.split(BEGIN);
  const [, tail = ""] = rest.split(END);
  return `${head}${BEGIN}\n${sections}\n${END}${tail}`;
}

async function renderRow(change: Change): Promise<string> {
  const old = await tableOf(specOf(change.from, change.before));
  const { plan, refused } = await judgeBlindly(await understand(specOf(change.to, change.after)), old);
  const statements = plan.steps.flatMap((step) => step.statements);
  const asks = questionsFor(plan.changes, old).length > 0 ? "yes" : "";
  const verdict = verdictOf(refused.map(({ error }) => error.detail));
  const sql = statements.map((statement) => `\`${shorten(statement.sql)}\``).join("<br>");
  return `| ${change.what} | ${verdict} | ${sql} | ${statements.map(lockOf).join("<br>")} | ${asks} |`;
}

function specOf(column: unknown, more: Part | undefined): Part {
  const columns = [{ ID: "integer" }, ...(column === undefined ? [] : [{ V: column }])];
  return { tableName: "T", columns, primaryKey: "ID", ...more };
}

async function understand(spec: Part): Promise<NonNullable<UnderstoodSpec["desired"]>> {
  const { errors, desired } = await understandSpec(spec);
  const [fault] = errors;
  if (fault !== undefined || desired === undefined) {
    throw new Error(`${JSON.stringify(spec)}: ${fault?.path}: ${fault?.detail}`);
  }
  return desired;
}

async function tableOf(spec: Part): Promise<Table> {
  const { table } = await understand(spec);
  if (table === undefined) throw new Error(`no table: ${JSON.stringify(spec)}`);
  // Nobody named the key; PostgreSQL did.
  return { ...table, primaryKey: { name: "t_pkey", columns: table.primaryKey?.columns ?? [] } };
}

function verdictOf(details: readonly string[]): string {
  if (details.length === 0) return "runs";
  const needed = details.flatMap((detail) => /changePolicy\.allow: \[([^\]]*)\]/.exec(detail)?.[1]?.split(", ") ?? []);
  const lookAlike = details.some((detail) => detail.startsWith("looks like a rename"));
  if (lookAlike) return "refused: set `renamedFrom`, or apply both apart";
  return `needs ${[...new Set(needed)].map((each) => `\`${each}\``).join(" and ")}`;
}

function shorten(sql: string): string {
  return sql.replaceAll('"public".', "").replaceAll('"pg_catalog".', "").replaceAll('"', "").replaceAll("|", "\\|");
}

function lockOf({ locks, rewrites, rebuildsIndexes }: Statement): string {
  const modes = locks.map(({ mode, table }, index) =>
    index === 0 ? mode : `${mode} on ${table.replace("public.", "")}`
  );
  const work = rewrites ? ["**rewrites**"] : rebuildsIndexes ? ["rebuilds indexes"] : [];
  return [...modes, ...work].join(", ");
}

if (import.meta.main) {
  const document = await Deno.readTextFile(DOCUMENT);
  await Deno.writeTextFile(DOCUMENT, replaceSections(document, await renderSections()));
}
