import { KubeClient } from "../../../kube/client/client.ts";
import type { ClusterConfig } from "../../../kube/client/client.ts";
import { EXIT, type ExitCode, type Terminal } from "../terminal.ts";
import { findInstalled, type Installed, isEmpty } from "./installed.ts";
import { findHolder } from "./lease_holder.ts";
import { removeInstalled } from "./remove.ts";

export interface UninstallOptions {
  readonly instance: string;
  /** Without it, nothing is removed. */
  readonly yes: boolean;
  /** Although an operator runs. */
  readonly force: boolean;
  readonly leaseNamespace?: string;
}

/**
 * Removes what keeps a cluster from working without the operator: webhook configurations and finalizers. Tables, objects, Pods and
 * volumes stay.
 *
 * @throws {KubeError} if the API server refuses something.
 */
export async function uninstallCommand(
  options: UninstallOptions,
  { terminal, cluster }: { readonly terminal: Terminal; readonly cluster: ClusterConfig },
  signal: AbortSignal,
): Promise<ExitCode> {
  const client = new KubeClient(cluster);
  try {
    const holder = await findHolder(client, options, signal);
    if (holder !== undefined && !options.force) {
      terminal.warn(
        `Cannot uninstall: ${holder} holds the Lease and would put everything back; stop the operator first, or give --force`,
      );
      return EXIT.refused;
    }
    const installed = await findInstalled(client, options.instance, signal);
    if (isEmpty(installed)) {
      terminal.print("nothing to remove");
      return EXIT.ok;
    }
    if (!options.yes) {
      terminal.print(
        [...linesOf(installed, "would be removed"), "give --yes to remove this; every table stays"].join("\n"),
      );
      return EXIT.changes;
    }
    await removeInstalled(client, installed, signal);
    terminal.print([...linesOf(installed, "removed"), "every table stays"].join("\n"));
    return EXIT.ok;
  } finally {
    client.close();
  }
}

function linesOf({ configurations, objects }: Installed, done: string): readonly string[] {
  return [
    ...configurations.map(({ type, name }) => `${type.plural}.${type.group}/${name} ${done}`),
    ...objects.map(({ metadata: { namespace, name } }) => `finalizer of databasetable ${namespace}/${name} ${done}`),
  ];
}
