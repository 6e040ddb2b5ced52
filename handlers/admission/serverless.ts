import { Hono } from "hono";
import { KubeError } from "../../kube/client/client.ts";
import { createLogger } from "../../kube/telemetry/logger.ts";
import { SPEC_CHANGED } from "../../kube/webhook/webhook_configuration.ts";
import { type Database, openDatabase } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import type { Environment } from "../config.ts";
import { admitDatabase } from "../database/admit.ts";
import { withDatabaseDefaults } from "../database/handler.ts";
import { DATABASE_RESOURCE } from "../database/objects.ts";
import { admitTable } from "../database_table/admit.ts";
import { TABLE_RESOURCE, withTableDefaults } from "../database_table/handler.ts";
import { LiveCatalog } from "../database_table/verdict/live_catalog.ts";
import { StartError } from "../errors.ts";
import { readBearerTokens } from "./bearer_tokens.ts";
import { ProbeResponder } from "./probe.ts";
import type { KindHandler } from "../registry.ts";
import { admitSample } from "../sample/admit.ts";
import { SAMPLE_RESOURCE } from "../sample/objects.ts";
import { createAdmissionApp } from "./server.ts";
import { noTelemetry } from "../operator/telemetry.ts";

const CONNECTIONS = 4;
const CONDITIONS = [{ name: "spec-changed", expression: SPEC_CHANGED }];

export interface ServeOptions {
  /** See `Config.allowedFunctions`. */
  readonly allowedFunctions: ReadonlySet<string>;
  /** Holds the bearer tokens of which a review must carry one. */
  readonly webhookTokenFile?: string;
}

/** What `serve.ts` exports, and what it must end. */
export interface ServerlessApp {
  readonly app: Hono;
  /** Ends the connections to the database, which would keep the process alive for half a minute. */
  close(): Promise<void>;
}

export interface ServeMachine {
  readonly env: Environment;
  readonly readTextFile: (path: string) => Promise<string>;
}

/**
 * Answers reviews without a loop and without a cluster: a verdict comes from the object, the old object and, with `DATABASE_URL`, the
 * live catalog. `TABLEWRIGHT_CLUSTER_ID` (the uid of the namespace kube-system) says whose tables they are then.
 *
 * @throws {StartError} one line, if a variable is missing, or it or the file of tokens cannot be used.
 */
export async function createServerlessApp(options: ServeOptions, machine: ServeMachine): Promise<ServerlessApp> {
  const logger = createLogger({ format: "json", level: "warning" });
  const tokens = await readBearerTokens(options.webhookTokenFile, machine.readTextFile);
  const { catalog, database } = openCatalog(machine.env, options.allowedFunctions);
  const objects = { read: outOfReach, readDeployment: outOfReach };
  const isNamespaceTerminating = outOfReach;
  const admission = { catalog, isNamespaceTerminating, now: () => performance.now(), logger };
  const kinds: readonly KindHandler[] = [
    {
      ...judging(TABLE_RESOURCE),
      withDefaults: withTableDefaults,
      validate: (request, signal) => admitTable(request, admission, signal),
    },
    {
      ...judging(DATABASE_RESOURCE),
      withDefaults: withDatabaseDefaults,
      validate: (request, signal) =>
        admitDatabase(request, { objects, isNamespaceTerminating, tablesIn: outOfReach }, signal),
    },
    {
      ...judging(SAMPLE_RESOURCE),
      withDefaults: (object) => object,
      validate: (request, signal) => admitSample(request, objects, signal),
    },
  ];
  // Nobody registers these webhooks by a probe: whoever deploys them writes their configurations.
  const probe = new ProbeResponder(crypto.getRandomValues(new Uint8Array(32)));
  return {
    app: createAdmissionApp({ kinds, probe, logger, telemetry: noTelemetry, tokens }),
    close: () => database.close(),
  };
}

function judging(resource: KindHandler["resource"]): Pick<KindHandler, "resource" | "admission"> {
  return {
    resource,
    admission: { mutateConditions: CONDITIONS, validateConditions: CONDITIONS, judgesDelete: true },
  };
}

/** There is no API server to ask: what needs one is a warning, or cannot be judged, and the API server's policy decides. */
function outOfReach(): Promise<never> {
  return Promise.reject(
    new KubeError("Cannot ask the API server: reviews are answered without one", {
      status: 0,
      reason: "Serverless",
    }),
  );
}

function openCatalog(env: Environment, allowedFunctions: ReadonlySet<string>): {
  readonly catalog: LiveCatalog;
  readonly database: Database;
} {
  const url = env["DATABASE_URL"] || undefined;
  if (url === undefined) {
    return {
      catalog: new LiveCatalog({ database: NO_DATABASE, clusterId: "", allowedFunctions }),
      database: NO_DATABASE,
    };
  }
  const clusterId = env["TABLEWRIGHT_CLUSTER_ID"] ?? "";
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(clusterId)) {
    throw new StartError(
      "Cannot tell whose tables are in the database: TABLEWRIGHT_CLUSTER_ID must be the uid of the namespace kube-system",
    );
  }
  try {
    const database = openDatabase({ url, applicationName: "tablewright", maxConnections: CONNECTIONS });
    return { catalog: new LiveCatalog({ database, clusterId, allowedFunctions }), database };
  } catch (error) {
    throw error instanceof PostgresError ? new StartError(error.message) : error;
  }
}

/** Every verdict is then made from the old object. */
const NO_DATABASE: Database = {
  address: "none",
  transaction: refuse,
  concurrently: refuse,
  close: () => Promise.resolve(),
};

function refuse(): Promise<never> {
  return Promise.reject(new PostgresError("DATABASE_URL is not set", { kind: "retry" }));
}
