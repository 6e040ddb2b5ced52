import { isKubeError, type KubeClient } from "../../../kube/client/client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { WEBHOOK_CONFIGURATION_TYPES } from "../../../kube/webhook/webhook_configuration.ts";

/** A configuration as far as it is looked at. */
export type Configuration = Pick<KubeObject, "kind"> & {
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly { readonly name: string; readonly failurePolicy?: string }[];
};

/** The webhook configurations of an instance; none while admission is off, and none after a stop. */
export async function readConfigurations(user: KubeClient, instance: string): Promise<readonly Configuration[]> {
  const found = await Promise.all(WEBHOOK_CONFIGURATION_TYPES.map(async (type) => {
    try {
      return [await user.get<KubeObject & Configuration>(type, { name: instance })];
    } catch (error) {
      if (isKubeError(error, 404)) return [];
      throw error;
    }
  }));
  return found.flat();
}

/** What the API server does when nobody answers, one line an entry. */
export function configurationLines(configurations: readonly Configuration[]): readonly string[] {
  return configurations.flatMap(({ kind, webhooks = [] }) =>
    webhooks.map(({ name, failurePolicy }) => `${kind}: ${name} ${failurePolicy}`)
  );
}

/** Configurations that lead to an operator which has ended. */
export function configurationsLeft(configurations: readonly Configuration[]): readonly string[] {
  return configurations.map(({ kind, metadata: { name } }) => `${kind} ${name}`);
}
