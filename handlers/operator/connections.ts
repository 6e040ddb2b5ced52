import type { ClusterConfig } from "../../kube/client/client.ts";

/** What the operator works on. Who chose it, and how, is the caller's matter. */
export interface Connections {
  readonly cluster: ClusterConfig;
  /** Absent: every table must name its database. */
  readonly databaseUrl?: string | undefined;
  /** To the same database past a pooler. */
  readonly databaseDirectUrl?: string | undefined;
  /** Whether the API server runs on this machine and ends with us: only then may it call a loopback address. */
  readonly embeddedCluster: boolean;
  /** Called once everything is served, watched and registered. */
  readonly onReady?: () => void;
  /** Called once the API server was told to call us no more; work that was begun may still go on. */
  readonly onUnregistered?: () => void;
}
