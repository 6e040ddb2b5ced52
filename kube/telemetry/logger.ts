import {
  configureSync,
  getLogger,
  type Logger as LogTapeLogger,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import { formatRecord, type LogFormat } from "./log_format.ts";
import { logContext } from "./log_context.ts";
import { redact, redactProperties } from "./redact.ts";

export type { LogFormat } from "./log_format.ts";

/** Values that describe an event beside its message. Names tell secrets apart: see {@linkcode redactProperties}. */
export type LogProperties = Readonly<Record<string, unknown>>;

/** Where a component says what it does. Passed in, never global. */
export interface Logger {
  debug(message: string, properties?: LogProperties): void;
  info(message: string, properties?: LogProperties): void;
  warn(message: string, properties?: LogProperties): void;
  error(message: string, properties?: LogProperties): void;
  /** A logger whose every line carries these properties too. */
  child(properties: LogProperties): Logger;
}

export interface LoggerOptions {
  /** `plain`: level and message with its properties; `full`: with the time; `json`: one object a line. */
  readonly format: LogFormat;
  /** The least level that is written. */
  readonly level: "debug" | "info" | "warning" | "error";
  /** Writes one line without its end; default: standard error. */
  readonly write?: (line: string) => void;
}

type Level = "debug" | "info" | "warn" | "error";

/** LogTape's names of our levels. */
const LEVELS: Readonly<Record<Level, LogLevel>> = { debug: "debug", info: "info", warn: "warning", error: "error" };

/**
 * Makes the logger of the process; a second one takes the place of the first.
 *
 * Each entry is one line, and passwords and tokens are taken out of messages and properties before they are written.
 */
export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? writeToStandardError;
  configureSync({
    reset: true,
    sinks: { lines: (record: LogRecord) => write(formatRecord(toEntry(record), options.format)) },
    loggers: [
      { category: "tablewright", lowestLevel: options.level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "fatal", sinks: ["lines"] },
    ],
  });
  return wrap(getLogger("tablewright"), {});
}

/** One line of a {@linkcode memoryLogger}. */
export interface MemoryEntry {
  readonly level: Level;
  readonly message: string;
  readonly properties: LogProperties;
}

/** A logger that remembers, for tests. It redacts as the real one does. */
export function memoryLogger(): Logger & { readonly entries: readonly MemoryEntry[] } {
  const entries: MemoryEntry[] = [];
  return { ...rememberInto(entries, {}), entries };
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

function wrap(logger: LogTapeLogger, context: LogProperties): Logger {
  const log = (level: Level) => (message: string, properties?: LogProperties) => {
    if (!logger.isEnabledFor(LEVELS[level])) return;
    // LogTape would take braces for placeholders, and messages hold SQL.
    const text = redact(message).replaceAll("{", "{{").replaceAll("}", "}}");
    logger[level](text, redactProperties({ ...context, ...logContext(), ...properties }));
  };
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    child: (properties) => wrap(logger, { ...context, ...properties }),
  };
}

function rememberInto(entries: MemoryEntry[], context: LogProperties): Logger {
  const log = (level: Level) => (message: string, properties?: LogProperties) => {
    const all = { ...context, ...logContext(), ...properties };
    entries.push({ level, message: redact(message), properties: redactProperties(all) });
  };
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    child: (properties) => rememberInto(entries, { ...context, ...properties }),
  };
}

function toEntry(record: LogRecord): { time: number; level: string; message: string; properties: LogProperties } {
  return {
    time: record.timestamp,
    level: record.level === "warning" ? "warn" : record.level,
    message: record.message.join(""),
    properties: record.properties,
  };
}

const encoder = new TextEncoder();

/** Synchronous, so that the last lines before an exit are not lost. */
function writeToStandardError(line: string): void {
  const bytes = encoder.encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
}
