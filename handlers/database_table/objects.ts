import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { FINALIZER } from "../../crds/database_table/types.ts";
import { isKubeError, type KubeClient } from "../../kube/client.ts";
import { Rights } from "../../kube/access_review.ts";
import { CRDS, isServedForDeletionOnly, readCustomResourceDefinition } from "../../kube/crd.ts";
import { addFinalizer, removeFinalizer } from "../../kube/finalizer.ts";
import type { Logger } from "../../kube/logger.ts";
import { StatusWriter } from "../../kube/status_writer.ts";
import type { TableObjects } from "./context.ts";
import { TABLE_RESOURCE } from "./handler.ts";

/** The reconciler's verbs on a real API server. */
export function tableObjects(client: KubeClient, logger: Logger): TableObjects {
  const type = TABLE_RESOURCE;
  const rights = new Rights(client, () => performance.now());
  const statusWriter = new StatusWriter({ client, type, logger });
  return {
    async read(object, signal) {
      const { namespace, name } = object.metadata;
      try {
        return await client.get<DatabaseTable>(type, { namespace, name }, { signal });
      } catch (error) {
        if (isKubeError(error, 404)) return undefined;
        throw error;
      }
    },
    async addFinalizer(object, signal) {
      await addFinalizer(client, { type, object, finalizer: FINALIZER, signal });
    },
    async removeFinalizer(object, signal) {
      await removeFinalizer(client, { type, object, finalizer: FINALIZER, signal });
    },
    async writeStatus(object, status, signal) {
      return (await statusWriter.write(object, { ...status }, signal)).resourceVersion;
    },
    async isGoing(owner, signal) {
      const { namespace, name } = owner;
      try {
        const object = await client.get<DatabaseTable>(type, { namespace, name }, { signal });
        return object.metadata.uid !== owner.uid || object.metadata.deletionTimestamp !== undefined;
      } catch (error) {
        if (isKubeError(error, 404)) return true;
        throw error;
      }
    },
    async isKindTerminating(signal) {
      const name = `${type.plural}.${type.group}`;
      if (!(await rights.allow({ verb: "get", type: CRDS, name }, signal))) {
        return await isServedForDeletionOnly(client, type, signal);
      }
      const definition = await readCustomResourceDefinition(client, name, signal);
      return definition === undefined || definition.terminating;
    },
  };
}
