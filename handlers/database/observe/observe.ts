import type { DatabaseSpec } from "../../../crds/database/types.ts";
import type { KubeObject, ResourceType } from "../../../kube/object.ts";
import {
  type Children,
  NETWORK_POLICY,
  POD,
  type Pod,
  SECRET,
  type Secret,
  SERVICE,
  type Service,
  VOLUME_CLAIM,
  type VolumeClaim,
} from "./children.ts";
import { bindingName, credentialsName, type Identity } from "../build/desired.ts";
import type { DatabaseObjects } from "../objects.ts";

/** The name of the user's own Secret, if the spec has one. */
export function secretOf({ auth }: DatabaseSpec): { readonly secretName?: string } {
  return auth.secretName === undefined ? {} : { secretName: auth.secretName };
}

/**
 * Reads everything that exists under the names of a Database, each by its name.
 *
 * @param secretName Of the Secret with the passwords; absent: the one that we make.
 */
export async function observeChildren(
  objects: Pick<DatabaseObjects, "read">,
  { namespace, name, secretName = credentialsName(name) }: Pick<Identity, "namespace" | "name"> & {
    readonly secretName?: string;
  },
  signal: AbortSignal,
): Promise<Children> {
  const read = <T extends KubeObject>(type: ResourceType, childName: string = name) =>
    objects.read<T>(type, { namespace, name: childName }, signal);
  const [pod, service, claim, credentials, binding, networkPolicy] = await Promise.all([
    read<Pod>(POD),
    read<Service>(SERVICE),
    read<VolumeClaim>(VOLUME_CLAIM),
    read<Secret>(SECRET, secretName),
    read<Secret>(SECRET, bindingName(name)),
    read<KubeObject>(NETWORK_POLICY),
  ]);
  return { pod, service, claim, credentials, binding, networkPolicy };
}
