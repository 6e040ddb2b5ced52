import postgres from "postgres";

/** The driver's own types are generic beyond need. */
export interface Sql {
  unsafe(text: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  end(options: { timeout: number }): Promise<void>;
}

/** A few connections of a test of its own, or one session. */
export function connect(url: string, max = 2): Sql {
  return postgres(url, { max, fetch_types: false, onnotice() {} }) as unknown as Sql;
}
