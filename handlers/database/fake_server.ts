import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import { desiredServer, type Identity, type Server } from "./build/desired.ts";

/** The Database of unit tests. */
export const IDENTITY: Identity = {
  apiVersion: "zalando.org/v1",
  kind: "Database",
  namespace: "shop",
  name: "db",
  uid: "u1",
};

/** A server of that spec, as the loop sees it under our schema. */
export function serverOf(spec: unknown, isOurSchema = true): Server {
  const decoded = decodeDatabaseSpec(spec);
  if (!decoded.ok) throw new TypeError(JSON.stringify(decoded.errors));
  return desiredServer(IDENTITY, decoded.value, isOurSchema);
}
