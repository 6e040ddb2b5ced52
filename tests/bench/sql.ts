import postgres from "postgres";

/** Connections of the benchmark itself. */
export interface Sql {
  unsafe(text: string): Promise<readonly Record<string, unknown>[]>;
  listen(channel: string, onNotify: () => void): Promise<{ unlisten(): Promise<void> }>;
  end(options: { timeout: number }): Promise<void>;
}

/** Opens nothing yet; at most `max` connections. */
export function connect(url: string, max: number): Sql {
  return postgres(url, { max, fetch_types: false, onnotice() {} }) as unknown as Sql;
}
