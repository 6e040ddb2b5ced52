export type LogFormat = "plain" | "full" | "json";

export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: string;
  readonly message: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * Writes an entry as one line, whatever its values hold: a line break in a value would let a user forge lines.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const entry = { time: 0, level: "info", message: "Applied", properties: { key: "a/b" } };
 * assertEquals(formatRecord(entry, "full"), "1970-01-01T00:00:00.000Z INFO  Applied key=a/b");
 * ```
 */
export function formatRecord(entry: LogEntry, format: LogFormat): string {
  switch (format) {
    case "plain":
      return formatText(entry);
    case "full":
      return `${new Date(entry.time).toISOString()} ${formatText(entry)}`;
    case "json":
      return JSON.stringify({
        time: new Date(entry.time).toISOString(),
        level: entry.level,
        message: entry.message,
        ...prefixReserved(entry.properties),
      });
  }
}

function formatText(entry: LogEntry): string {
  const level = entry.level.toUpperCase().slice(0, 5).padEnd(5);
  const properties = Object.entries(entry.properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${formatValue(value)}`);
  return `${level} ${escapeControl(entry.message)}${properties.join("")}`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return escapeControl(value);
  return escapeControl(JSON.stringify(value) ?? String(value));
}

/** Control characters would move the cursor of whoever reads the log, or end the line. */
function escapeControl(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    return char === "\n" ? "\\n" : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A property must not take the place of the entry's own fields. */
function prefixReserved(properties: LogEntry["properties"]): Record<string, unknown> {
  const reserved = new Set(["time", "level", "message"]);
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [reserved.has(name) ? `_${name}` : name, value]),
  );
}
