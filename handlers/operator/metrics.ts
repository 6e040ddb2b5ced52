import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { certificateValidity } from "../../kube/webhook/certificate_fault.ts";
import type { Metrics } from "../../kube/telemetry/metrics.ts";
import type { Informer } from "../../kube/watch/informer.ts";
import { measureProcess } from "../../kube/telemetry/process_metrics.ts";
import { TABLE_RESOURCE } from "../database_table/handler.ts";
import type { OperatorParts } from "./parts.ts";

type Measured = Pick<
  OperatorParts,
  "config" | "controls" | "databases" | "admission" | "election" | "heartbeat" | "timing"
>;

/** Everything that is known only when somebody looks: whoever has another gauge adds it here. */
export function measureParts(metrics: Metrics, parts: Measured): void {
  measureProcess(metrics, parts.timing.now);
  measureWatches(metrics, parts);
  measureDatabases(metrics, parts);
  measureDrift(metrics, parts);
  measureCertificate(metrics, parts);
  measureElection(metrics, parts);
  measureHeartbeat(metrics, parts);
}

function measureWatches(metrics: Metrics, { controls, timing }: Measured): void {
  const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: ["kind"] });
  const age = gauge(
    "tablewright_watch_age_seconds",
    "Since the API server was last heard of this kind; a bookmark comes each minute.",
  );
  const objects = gauge("tablewright_objects", "Objects of this kind that are known.");
  const served = gauge("tablewright_kind_served", "1 if the kind is served: its CustomResourceDefinition is there.");
  const synced = gauge("tablewright_cache_synced", "1 if every object of the first list is known.");
  const forbidden = gauge(
    "tablewright_namespaces_forbidden",
    "Namespaces in which this kind may not be listed; they are served once it may.",
  );
  const reconcile = gauge(
    "tablewright_longest_reconcile_seconds",
    "How long the reconcile of this kind runs that has used most of its two minutes; what may take as long as it takes does not count.",
  );
  metrics.onScrape("watches", () => {
    for (const { name: kind, informer, owned, running } of controls) {
      const ageOf = (watched: Informer) => (timing.uptime() - watched.lastActivity) / 1000;
      age.set({ kind }, ageOf(informer));
      forbidden.set({ kind }, informer.forbidden.length);
      for (const each of owned) {
        age.set({ kind: `${kind}/${each.name}` }, ageOf(each.informer));
        forbidden.set({ kind: `${kind}/${each.name}` }, each.informer.forbidden.length);
      }
      reconcile.set({ kind }, running.longestMs / 1000);
      objects.set({ kind }, informer.size);
      served.set({ kind }, informer.state === "absent" ? 0 : 1);
      synced.set({ kind }, informer.synced ? 1 : 0);
    }
  });
}

function measureDatabases(metrics: Metrics, { databases }: Measured): void {
  const reachable = metrics.gauge({
    name: "tablewright_database_reachable",
    help: "1 unless the database is known to be out of reach.",
    labels: ["database"],
  });
  metrics.onScrape("databases", () => {
    reachable.clear();
    const faulty = new Set(
      databases.servers.filter(({ recovery }) => recovery.fault !== undefined)
        .map(({ address }) => address),
    );
    // Several Secrets may name one server: one that cannot log in counts.
    for (const { address } of databases.servers) reachable.set({ database: address }, faulty.has(address) ? 0 : 1);
  });
}

/** As the objects' statuses say it, so that a standby tells the same. */
function measureDrift(metrics: Metrics, { controls, databases }: Measured): void {
  const drifted = metrics.gauge({
    name: "tablewright_tables_drifted",
    help: "Tables that differ from their objects and are left so.",
    labels: ["database"],
  });
  const tables = controls.find(({ name }) => name === TABLE_RESOURCE.kind.toLowerCase())?.informer;
  metrics.onScrape("drift", () => {
    drifted.clear();
    for (const { address } of databases.servers) drifted.set({ database: address }, 0);
    const addresses = new Map(databases.servers.map(({ name, address }) => [name, address]));
    for (const key of tables?.keys() ?? []) {
      const { status } = (tables?.get(key) ?? {}) as Partial<DatabaseTable>;
      const database = addresses.get(status?.observed?.server);
      if (database !== undefined && (status?.drift ?? []).length > 0) drifted.add({ database }, 1);
    }
  });
}

function measureCertificate(metrics: Metrics, { admission }: Measured): void {
  const expiry = metrics.gauge({
    name: "tablewright_webhook_certificate_expiry_timestamp_seconds",
    help: "When the certificate of the admission server ends, in seconds since 1970.",
    labels: [],
  });
  metrics.onScrape("certificate", () => {
    expiry.set({}, certificateValidity(admission.certificates.served.pair.certificate).notAfter.getTime() / 1000);
  });
}

function measureElection(metrics: Metrics, { config: { instance: name }, election }: Measured): void {
  const status = metrics.gauge({
    name: "leader_election_master_status",
    help: "1 while this replica leads; a replica without an election always does.",
    labels: ["name"],
  });
  metrics.onScrape("election", () => status.set({ name }, election === undefined || election.isLeading ? 1 : 0));
}

function measureHeartbeat(metrics: Metrics, { heartbeat }: Measured): void {
  const lag = metrics.gauge({
    name: "tablewright_event_loop_lag_seconds",
    help: "How late the event loop came to the last of its own beats; there is one each second.",
    labels: [],
  });
  metrics.onScrape("heartbeat", () => lag.set({}, heartbeat.lagMs / 1000));
}
