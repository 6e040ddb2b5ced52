import { isObject } from "../decode_fields.ts";
import {
  ADOPTION_POLICIES,
  type AdoptionPolicy,
  type DatabaseTableSpec,
  type DefaultedTableSpec,
  type DeletionPolicy,
} from "./types.ts";

/** Longest wait for one lock, a try: so long may users of the table wait behind a change. */
const LOCK_TIMEOUT_SECONDS = 3;
/** Longest run of one statement of a transaction; the lock that it holds lasts as long. */
const STATEMENT_TIMEOUT_SECONDS = 60;

/** `Kopf`: the object carries a finalizer or an annotation of kopf, so another operator has made its table. */
export type ObjectOrigin = "Plain" | "Kopf";

/** Fills in what a user may leave out; never changes what a user wrote. */
export function defaultTableSpec(spec: DatabaseTableSpec, origin: ObjectOrigin = "Plain"): DefaultedTableSpec {
  const adoptionPolicy = spec.adoptionPolicy ?? defaultAdoption(origin);
  return {
    ...spec,
    schema: spec.schema ?? "public",
    uniqueConstraints: spec.uniqueConstraints ?? [],
    checks: spec.checks ?? [],
    foreignKeys: spec.foreignKeys ?? [],
    indexes: spec.indexes ?? [],
    changePolicy: {
      allow: spec.changePolicy?.allow ?? [],
      lockTimeoutSeconds: spec.changePolicy?.lockTimeoutSeconds ?? LOCK_TIMEOUT_SECONDS,
      statementTimeoutSeconds: spec.changePolicy?.statementTimeoutSeconds ?? STATEMENT_TIMEOUT_SECONDS,
      online: spec.changePolicy?.online ?? "Prefer",
    },
    drift: { action: spec.drift?.action ?? "Correct" },
    mode: spec.mode ?? "Apply",
    suspend: spec.suspend ?? false,
    adoptionPolicy,
    deletionPolicy: spec.deletionPolicy ?? defaultDeletion(adoptionPolicy),
    approval: spec.approval ?? "Automatic",
  };
}

/** The policies that admission writes into an object, so that everybody can read what will happen. */
export interface WrittenPolicies {
  readonly deletionPolicy?: DeletionPolicy;
  readonly adoptionPolicy?: AdoptionPolicy;
}

/**
 * The policies that are absent and to be written. On an update the old object's value stays, so that leaving a field out
 * opens nothing; a marker of kopf that is added later opens nothing either.
 *
 * @param spec Not yet decoded; a policy that is no known one counts as present: its fault is told elsewhere.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(policiesToWrite({}, undefined), { adoptionPolicy: "Never", deletionPolicy: "Delete" });
 * assertEquals(policiesToWrite({ adoptionPolicy: "IfIdentical" }, undefined), { deletionPolicy: "Retain" });
 * ```
 */
export function policiesToWrite(spec: unknown, oldSpec: unknown, origin: ObjectOrigin = "Plain"): WrittenPolicies {
  if (!isObject(spec)) return {};
  const old = isObject(oldSpec) ? oldSpec : {};
  const inherited = ADOPTION_POLICIES.find((each) => each === old["adoptionPolicy"]) ?? defaultAdoption(origin);
  // Then the table may be somebody else's, also when the policy goes back to Never.
  const mayBeAdopted = isObject(oldSpec) && inherited !== "Never";
  const adoption = Object.hasOwn(spec, "adoptionPolicy") ? spec["adoptionPolicy"] : inherited;
  return {
    ...(Object.hasOwn(spec, "adoptionPolicy") ? {} : { adoptionPolicy: inherited }),
    ...(Object.hasOwn(spec, "deletionPolicy")
      ? {}
      : { deletionPolicy: deletionOf(old) ?? defaultDeletion(mayBeAdopted ? inherited : adoption) }),
  };
}

function deletionOf(spec: Readonly<Record<string, unknown>>): DeletionPolicy | undefined {
  const policy = spec["deletionPolicy"];
  return policy === "Delete" || policy === "Retain" || policy === "Forbid" ? policy : undefined;
}

/** Any author could otherwise claim a stranger's table; what kopf made is its object's own. */
function defaultAdoption(origin: ObjectOrigin): AdoptionPolicy {
  return origin === "Kopf" ? "IfCompatible" : "Never";
}

/** A table that may be somebody else's is kept. */
function defaultDeletion(adoptionPolicy: unknown): DeletionPolicy {
  return adoptionPolicy === "Never" ? "Delete" : "Retain";
}
