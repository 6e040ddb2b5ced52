import { parseArgs } from "@std/cli/parse-args";
import { type Command, type Config, type Environment, parseCommandLine, readAllowedFunctions } from "../config.ts";
import { UsageError } from "../flags.ts";
import { parseIdentifier } from "../../postgres/text/identifier.ts";
import type { ServeOptions } from "../admission/serverless.ts";
import { HELPS, type Subcommand } from "./help.ts";
import type { ImportOptions } from "./import/command.ts";
import type { PlanOptions } from "./plan/command.ts";
import type { UninstallOptions } from "./uninstall/command.ts";

/** What a command line asks for. */
export type ParsedCommand =
  | Command
  | { readonly kind: "plan"; readonly options: PlanOptions }
  | { readonly kind: "import"; readonly options: ImportOptions }
  | { readonly kind: "uninstall"; readonly options: UninstallOptions; readonly config: Config };

/** What the arguments of `serve.ts` ask for. */
export type ServeCommand =
  | Extract<Command, { readonly kind: "help" | "usage" }>
  | { readonly kind: "serve"; readonly options: ServeOptions };

type Flags = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

/** Reads the command line: the first word is the command, none is `run`. Pure: the environment is an argument. */
export function parseCommand(args: readonly string[], env: Environment): ParsedCommand {
  const [first = "", ...rest] = args;
  if (first === "help") return parseHelp(rest, env);
  switch (first) {
    case "plan":
      return withFlags(
        rest,
        {
          command: first,
          string: ["filename", "output", "namespace", "allow-function", "server"],
          collect: ["filename", "allow-function"],
        },
        (flags) => readPlan(flags, env),
      );
    case "import":
      return withFlags(rest, {
        command: first,
        string: ["schema", "namespace", "allow-function"],
        collect: ["allow-function"],
      }, (flags) => readImport(flags, env));
    case "uninstall":
      return withFlags(
        rest,
        { command: first, string: ["instance", "context", "lease-namespace"], boolean: ["yes", "force"] },
        (flags) => readUninstall(flags, env),
      );
    default:
      return parseCommandLine(args, env);
  }
}

/** Reads the arguments of `serve.ts`, which has no cluster to choose. Pure. */
export function parseServe(args: readonly string[], env: Environment): ServeCommand {
  return withFlags(
    args,
    { command: "serve", string: ["allow-function", "webhook-token-file"], collect: ["allow-function"] },
    (flags) => {
      const [extra] = flags._;
      if (extra !== undefined) throw new UsageError(`unknown argument "${extra}"`);
      const tokenFile = text(flags, "webhook-token-file");
      return {
        kind: "serve",
        options: {
          allowedFunctions: readAllowedFunctions(flags, env),
          ...(tokenFile === undefined ? {} : { webhookTokenFile: tokenFile }),
        },
      };
    },
  );
}

function parseHelp([topic = "run", ...more]: readonly string[], env: Environment): ParsedCommand {
  const text = more.length === 0 ? HELPS.get(topic) : undefined;
  return text === undefined ? parseCommandLine(["--help"], env) : { kind: "help", text };
}

interface FlagNames {
  readonly command: Subcommand;
  readonly string: readonly string[];
  readonly boolean?: readonly string[];
  readonly collect?: readonly string[];
}

const ALIASES = { f: "filename", o: "output", n: "namespace", h: "help", y: "yes" };

function withFlags<T>(
  args: readonly string[],
  { command, string, boolean = [], collect = [] }: FlagNames,
  read: (flags: Flags) => T,
): T | Extract<Command, { readonly kind: "help" | "usage" }> {
  const unknown: string[] = [];
  const usage = command === "serve" ? "deno task serve --help" : `tablewright ${command} --help`;
  const known = [...string, ...boolean, "help"];
  const flags = parseArgs([...args], {
    string: [...string, "_"],
    boolean: [...boolean, "help"],
    collect: [...collect],
    alias: Object.fromEntries(Object.entries(ALIASES).filter(([, name]) => known.includes(name))),
    unknown: (name: string, key?: string) => {
      if (key !== undefined && name !== "-") unknown.push(name);
      return key === undefined || name === "-";
    },
  }) as Flags;
  if (flags["help"] === true) return { kind: "help", text: HELPS.get(command) ?? "" };
  try {
    if (unknown.length > 0) throw new UsageError(`unknown flag ${unknown[0]}`);
    return read(flags);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: "usage", message: `${error.message}; see ${usage}` };
  }
}

function readPlan(flags: Flags, env: Environment): ParsedCommand {
  const files = (flags["filename"] ?? []) as readonly string[];
  const [extra] = flags._;
  if (extra !== undefined) throw new UsageError(`unknown argument "${extra}": files are given with -f`);
  if (files.length === 0 || files.includes("")) {
    throw new UsageError("-f needs a file, a folder or - for standard input");
  }
  const output = text(flags, "output") ?? "text";
  if (output !== "text" && output !== "json") {
    throw new UsageError(`--output must be text or json: current value is "${output}"`);
  }
  const server = text(flags, "server");
  return {
    kind: "plan",
    options: {
      files,
      output,
      namespace: text(flags, "namespace") ?? "default",
      allowedFunctions: readAllowedFunctions(flags, env),
      ...(server === undefined ? {} : { server }),
    },
  };
}

function readImport(flags: Flags, env: Environment): ParsedCommand {
  const schema = parseIdentifier(text(flags, "schema") ?? "public");
  if (!schema.ok) throw new UsageError(`--schema: ${schema.fault}`);
  const namespace = text(flags, "namespace");
  const tables = flags._.map(String);
  return {
    kind: "import",
    options: {
      schema: schema.value,
      tables,
      allowedFunctions: readAllowedFunctions(flags, env),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

function readUninstall(flags: Flags, env: Environment): ParsedCommand {
  const [extra] = flags._;
  if (extra !== undefined) throw new UsageError(`unknown argument "${extra}"`);
  const context = text(flags, "context");
  const leaseNamespace = text(flags, "lease-namespace");
  // Which cluster, is decided by the same words as for run.
  const cluster = parseCommandLine(context === undefined ? [] : ["--context", context], env);
  if (cluster.kind !== "run") return cluster;
  const options = {
    instance: text(flags, "instance") ?? "tablewright",
    yes: flags["yes"] === true,
    force: flags["force"] === true,
    ...(leaseNamespace === undefined ? {} : { leaseNamespace }),
  };
  return { kind: "uninstall", options, config: cluster.config };
}

function text(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value)) throw new UsageError(`--${name} is given twice`);
  if (typeof value !== "string" || value === "") throw new UsageError(`--${name} needs a value`);
  return value;
}
