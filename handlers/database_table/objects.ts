import { policiesToWrite } from "../../crds/database_table/default.ts";
import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { APPROVE_ANNOTATION, FINALIZER } from "../../crds/database_table/types.ts";
import { isKubeError, type KubeClient } from "../../kube/client/client.ts";
import { removeAnnotation } from "../../kube/objects/annotation.ts";
import { Rights } from "../../kube/client/access_review.ts";
import { CRDS, isServedForDeletionOnly, readCustomResourceDefinition } from "../../kube/objects/crd.ts";
import { addFinalizer, removeFinalizer } from "../../kube/objects/finalizer.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import { StatusWriter } from "../../kube/objects/status_writer.ts";
import { systemTiming } from "../../kube/timing.ts";
import { hasKopfMarks, removeKopfMarks } from "../kopf_takeover.ts";
import type { TableObjects } from "./context.ts";
import { TABLE_RESOURCE } from "./handler.ts";
import { KindEnd } from "./kind_end.ts";
import { originOf } from "./spec/origin.ts";

const DISCOVERY_LAG_MS = 1_000;

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
      const bare = hasKopfMarks(object.metadata) ? await withoutKopfMarks(client, object, signal) : object;
      if (bare !== undefined) await removeFinalizer(client, { type, object: bare, finalizer: FINALIZER, signal });
    },
    async removeKopfMarks(object, signal) {
      return await withoutKopfMarks(client, object, signal) ?? object;
    },
    async removeApproval(object, signal) {
      return await removeAnnotation(client, { type, object, annotation: APPROVE_ANNOTATION, signal });
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
    kindEnd: new KindEnd((signal) => isKindTerminating(client, rights, signal)),
  };
}

/** Whoever may not read the CRD learns from the discovery that it is going. */
async function isKindTerminating(client: KubeClient, rights: Rights, signal: AbortSignal): Promise<boolean> {
  const type = TABLE_RESOURCE;
  const name = `${type.plural}.${type.group}`;
  if (await rights.allow({ verb: "get", type: CRDS, name }, signal)) {
    const definition = await readCustomResourceDefinition(client, name, signal);
    return definition === undefined || definition.terminating;
  }
  if (await isServedForDeletionOnly(client, type, signal)) return true;
  // Another API server may tell it a little later than the one that marked our object.
  await systemTiming.delay(DISCOVERY_LAG_MS, signal);
  return await isServedForDeletionOnly(client, type, signal);
}

/** `undefined` if kopf's finalizer was all that held an object which is being deleted. */
async function withoutKopfMarks(
  client: KubeClient,
  object: DatabaseTable,
  signal: AbortSignal,
): Promise<DatabaseTable | undefined> {
  // A terminating object's spec is left alone.
  const isLiving = object.metadata.deletionTimestamp === undefined;
  const spec = isLiving ? policiesToWrite(object.spec, undefined, originOf(object)) : {};
  return await removeKopfMarks(client, { type: TABLE_RESOURCE, object, spec: { ...spec }, signal });
}
