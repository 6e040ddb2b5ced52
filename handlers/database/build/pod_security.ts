import type { CoreShape } from "../../../crds/database/types.ts";

/** The user of all three official images. */
const SERVER_UID = 999;

const POD_SECURITY: CoreShape = {
  runAsUser: SERVER_UID,
  runAsGroup: SERVER_UID,
  fsGroup: SERVER_UID,
  // Else a big volume is walked through at every start.
  fsGroupChangePolicy: "OnRootMismatch",
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

/** What the `restricted` Pod Security Standard asks of a container, and a root that cannot be written. */
export const CONTAINER_SECURITY: CoreShape = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};

/** Passes the `restricted` Pod Security Standard, unless a user names fields that do not. */
export function podSecurity(overrides: CoreShape = {}): CoreShape {
  return { ...POD_SECURITY, ...overrides };
}
