import type { KubeManifest } from "../../../kube/object.ts";
import { DIGEST, digestOf, encodeData, PASSWORD, ROTATED_AT } from "./credentials.ts";
import type { KnownCredentials } from "../steps/keep_credentials.ts";
import { bindingName, type Server } from "./desired.ts";
import { labelsOf, ownerReferenceOf } from "../observe/labels.ts";

/** Where clients in the cluster find the server. */
export function hostOf({ identity }: Pick<Server, "identity">): string {
  return `${identity.name}.${identity.namespace}.svc`;
}

/**
 * A Secret of the Service Binding specification: all that a client needs.
 * The password of a user's own Secret leaves no digest: it may be a short one.
 */
export async function buildBinding(server: Server, credentials: KnownCredentials): Promise<KubeManifest> {
  const password = credentials.passwords[PASSWORD] ?? "";
  const rotatedAt = credentials.annotations[ROTATED_AT];
  const { identity, spec, engine, login, servicePort } = server;
  const host = hostOf(server);
  const { username, database } = login;
  const scheme = engine.bindingType;
  const uri = `${scheme}://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}:${servicePort}` +
    `/${encodeURIComponent(database)}${engine.uriOptions}`;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      namespace: identity.namespace,
      name: bindingName(identity.name),
      labels: labelsOf(identity, spec.type),
      annotations: {
        ...(rotatedAt === undefined ? {} : { [ROTATED_AT]: rotatedAt }),
        ...(login.isUserSecret ? {} : { [DIGEST]: await digestOf(password) }),
      },
      ownerReferences: [ownerReferenceOf(identity)],
    },
    type: `servicebinding.io/${engine.bindingType}`,
    data: encodeData({
      type: engine.bindingType,
      provider: "tablewright",
      host,
      port: String(servicePort),
      database,
      username,
      password,
      uri,
    }),
  };
}
