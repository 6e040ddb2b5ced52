import { Admission } from "../../handlers/admission/admission.ts";
import { type Config, parseCommandLine } from "../../handlers/config.ts";
import type { KindHandler } from "../../handlers/registry.ts";
import { noTelemetry } from "../../handlers/operator/telemetry.ts";
import { type ReviewListener, serveReviews } from "../../handlers/admission/review_listener.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { memoryLogger } from "../../kube/telemetry/logger.ts";
import { createTiming, type Timing } from "../../kube/timing.ts";

/** The admission server of one replica, without a loop and a database. */
export interface AdmissionServer {
  readonly admission: Admission;
  readonly listener: ReviewListener;
  readonly logger: ReturnType<typeof memoryLogger>;
  /** Registers, guards and renews from now on. Resolves when the webhooks fail closed. */
  lead(): Promise<void>;
  /** Ends without removing any registration, as a replica does that others outlive. */
  stop(): Promise<void>;
}

export interface AdmissionServerOptions {
  readonly client: KubeClient;
  readonly flags: readonly string[];
  readonly kinds: readonly KindHandler[];
  readonly timing: Timing;
  readonly hostname: string;
  /** How long a replaced listener goes on, in milliseconds. */
  readonly lingerMs?: number;
}

/** A clock that runs faster than the wall's, so that a minute can be waited for. */
export function fastTiming(factor: number): Timing {
  const start = Date.now();
  const startedAt = performance.now();
  return createTiming<ReturnType<typeof setTimeout>>({
    now: () => start + (Date.now() - start) * factor,
    uptime: () => (performance.now() - startedAt) * factor,
    random: () => Math.random(),
    setTimeout: (callback, ms) => setTimeout(callback, ms / factor),
    clearTimeout: (handle) => clearTimeout(handle),
  });
}

/** The configuration that flags make. */
export function configOf(flags: readonly string[]): Config {
  const command = parseCommandLine(flags, {});
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  return command.config;
}

export async function startAdmissionServer(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const { client, kinds, timing, hostname } = options;
  const config = configOf(options.flags);
  const logger = memoryLogger();
  const stop = new AbortController();
  const [probe] = kinds;
  if (probe === undefined) throw new TypeError("an admission server needs a kind");
  const parts = {
    config,
    embeddedCluster: false,
    client,
    replicasNamespace: config.leaderElectionNamespace,
    kinds,
    probeType: probe.resource,
    timing,
    logger,
    telemetry: noTelemetry,
  };
  const admission = await Admission.create(parts, stop.signal);
  const listener = serveReviews({
    hostname,
    port: config.webhookPort,
    pair: admission.certificates.served.pair,
    review: (request) => admission.app.fetch(request),
    ...(options.lingerMs === undefined ? {} : { lingerMs: options.lingerMs }),
  });
  const running = [admission.follow(({ pair }) => listener.replaceCertificate(pair), stop.signal)];
  return {
    admission,
    listener,
    logger,
    async lead() {
      running.push(admission.lead(stop.signal));
      await admission.whenRegistered(stop.signal);
    },
    async stop() {
      stop.abort();
      await Promise.all(running);
      await listener.shutdown();
    },
  };
}
