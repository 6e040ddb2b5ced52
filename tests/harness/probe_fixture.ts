import type { SchemaChange } from "../../postgres/change.ts";
import { type DataAnswer, describeAnswer } from "../../postgres/data/answer.ts";
import { ProbeMemory } from "../../postgres/data/memory.ts";
import { askData, type AskOptions } from "../../postgres/data/probe.ts";
import { type DataQuestion, type QuestionedTable, questionsFor } from "../../postgres/data/question.ts";
import { type Database, openDatabase, type Transaction } from "../../postgres/session/client.ts";
import type { Column, ForeignKey } from "../../postgres/table.ts";
import { startTestDatabase, type TestDatabase } from "./postgres_database.ts";

const { signal: NEVER } = new AbortController();

/** Asks real tables, as the operator's role. */
export class ProbeFixture {
  readonly server: TestDatabase;
  readonly operator: Database;
  readonly other: Database;

  private constructor(server: TestDatabase) {
    this.server = server;
    this.operator = openProbeDatabase(server.url, 4);
    this.other = openProbeDatabase(server.otherUrl, 2);
  }

  static async start(name: string): Promise<ProbeFixture> {
    return new ProbeFixture(await startTestDatabase(name));
  }

  async stop(): Promise<void> {
    await Promise.all([this.operator.close(), this.other.close()]);
    await this.server.stop();
  }

  /** Runs statements as the operator's role, one transaction. */
  async setUp(...statements: readonly string[]): Promise<void> {
    await writeTo(this.operator, async (transaction) => {
      for (const statement of statements) await transaction.query(statement);
    });
  }

  ask(questions: readonly DataQuestion[], changes: Partial<AskOptions> = {}): Promise<readonly DataAnswer[]> {
    return askData(this.operator, questions, askOptions(changes));
  }

  /** For each question `holds`, the sentence of a violation, or the reason why nobody knows. */
  async answers(
    changes: readonly SchemaChange[],
    asked: QuestionedTable,
    rest: Partial<AskOptions> = {},
  ): Promise<readonly string[]> {
    const given = await this.ask(questionsFor(changes, asked), rest);
    return given.map((answer) => {
      if (answer.kind === "unknown") return answer.reason;
      return answer.kind === "holds" ? "holds" : describeAnswer(answer);
    });
  }

  /** Whether PostgreSQL itself takes a statement; nothing of it stays. */
  async succeeds(statement: string): Promise<boolean> {
    try {
      await this.server.asSuperuser("BEGIN", statement);
      return true;
    } catch {
      return false;
    } finally {
      await this.server.asSuperuser("ROLLBACK");
    }
  }
}

export function openProbeDatabase(url: string, maxConnections: number): Database {
  return openDatabase({ url, applicationName: "tablewright-probe-test", maxConnections });
}

export function writeTo<T>(database: Database, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const options = { readOnly: false, lockTimeoutMs: 5_000, statementTimeoutMs: 60_000, signal: NEVER };
  return database.transaction(options, work);
}

/** A fresh memory each time, so that no test sees the answers of another. */
export function askOptions(changes: Partial<AskOptions> = {}): AskOptions {
  return { deadlineMs: 5_000, signal: NEVER, memory: new ProbeMemory(() => performance.now()), ...changes };
}

/** Columns as `name type`; all nullable. */
export function table(name: string, ...columns: readonly string[]): QuestionedTable {
  return {
    schema: "public",
    name,
    columns: columns.map((text): Column => {
      const [column = "", ...type] = text.split(" ");
      return { name: column, type: type.join(" "), notNull: false };
    }),
  };
}

export function foreignKey(columns: readonly string[], to: string, target: readonly string[]): SchemaChange {
  const rest = { onDelete: "NoAction", onUpdate: "NoAction", deferrable: "No", validated: true } as const;
  const key: ForeignKey = { columns, references: { schema: "public", table: to, columns: target }, ...rest };
  return { kind: "AddForeignKey", foreignKey: key };
}

export function unique(columns: readonly string[], nullsNotDistinct = false): SchemaChange {
  return { kind: "AddUnique", unique: { columns, nullsNotDistinct } };
}

export function notNull(column: string): SchemaChange {
  return { kind: "SetNotNull", column };
}
