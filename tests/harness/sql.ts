import postgres from "postgres";

/** The driver's own types are generic beyond need. */
export interface Sql {
  unsafe(text: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  end(options: { timeout: number }): Promise<void>;
}

/** A few connections of a test of its own. */
export function connect(url: string): Sql {
  return postgres(url, { max: 2, fetch_types: false, onnotice() {} }) as unknown as Sql;
}
