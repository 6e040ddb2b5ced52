import { isObject } from "../crds/decode_fields.ts";
import { required } from "../crds/field_error.ts";
import { DATABASE_RESOURCE } from "./database/objects.ts";
import type { KindHandler } from "./registry.ts";

/** A kind for unit tests of what is the same for all kinds: it wants a spec of type mongo, and nothing is made for it. */
export function fakeKind(): KindHandler {
  return {
    resource: DATABASE_RESOURCE,
    admission: { mutateConditions: [], validateConditions: [], judgesDelete: false },
    withDefaults: (object) => object,
    validate: ({ object }) => {
      const isGood = isObject(object?.spec) && object.spec["type"] === "mongo";
      return Promise.resolve(
        isGood
          ? { kind: "allowed", warnings: [] }
          : { kind: "denied", errors: [required("spec.type", "must be mongo")], warnings: [] },
      );
    },
  };
}
