import { type FieldError, invalid, notSupported, required } from "../../../crds/field_error.ts";
import { tableSpecWarnings } from "../../../crds/database_table/validate.ts";
import {
  APPROVE_ANNOTATION,
  type DefaultedTableSpec,
  TAKE_OVER_ANNOTATION,
} from "../../../crds/database_table/types.ts";
import {
  findOwners,
  observeRegistry,
  registryReader,
  type RegistryState,
} from "../../../postgres/registry/registry_reader.ts";
import { approvedStatements } from "../../../postgres/registry/approval.ts";
import type { Owner } from "../../../postgres/registry/registry.ts";
import type { Database } from "../../../postgres/session/client.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import { PlanApproval } from "../../database_table/verdict/approval.ts";
import { judgeLive, type LiveJudgement } from "../../database_table/verdict/judge_live.ts";
import { LiveCatalog } from "../../database_table/verdict/live_catalog.ts";
import { originOf } from "../../database_table/spec/origin.ts";
import { understandSpec } from "../../database_table/spec/understand.ts";
import { API_VERSION, type Manifest } from "./manifests.ts";
import type { Outcome, PlannedManifest } from "./planned.ts";

/** Of a cluster that no registry knows. */
const NO_CLUSTER = "00000000-0000-0000-0000-000000000000";

const REGISTRY_LIMITS = { readOnly: true, lockTimeoutMs: 1_000, statementTimeoutMs: 5_000 };

export interface PlannerOptions {
  /** See `Config.allowedFunctions`. */
  readonly allowedFunctions: ReadonlySet<string>;
  /** Which references lead to the database; absent: none, it is the operator's own. */
  readonly server?: string;
}

/** Judges objects of files against one database, read-only. */
export class ManifestPlanner {
  readonly #database: Database;
  readonly #options: PlannerOptions;
  #registry: RegistryState | undefined;

  constructor(database: Database, options: PlannerOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** Says also why it could not be judged; throws on bugs only. */
  async plan(manifest: Manifest, signal: AbortSignal): Promise<PlannedManifest> {
    const faults = manifestFaults(manifest);
    if (faults.length > 0) return { manifest, outcome: { kind: "refused", faults }, notes: [] };
    const understood = await understandSpec(manifest.spec, originOf(manifest));
    const { spec, desired } = understood;
    const name = desired?.table === undefined ? {} : { table: `${desired.table.schema}.${desired.table.name}` };
    const notes = [...(spec === undefined ? [] : tableSpecWarnings(spec)), ...(desired?.warnings ?? [])];
    const elsewhere = spec === undefined ? undefined : otherServer(spec, this.#options.server);
    if (elsewhere !== undefined) {
      const outcome: Outcome = understood.errors.length > 0
        ? { kind: "refused", faults: understood.errors }
        : unknown(elsewhere);
      return { manifest, ...name, notes, outcome };
    }
    try {
      const claimed = await this.#claimOf(manifest, signal);
      if (claimed === undefined) return { manifest, ...name, notes, outcome: unknown(AMBIGUOUS) };
      const judgement = await judgeLive(understood, claimed, signal);
      const outcome = await this.#withApproval(
        outcomeOf(judgement, spec),
        { manifest, spec, judgement, claimed },
        signal,
      );
      return { manifest, ...name, notes: [...notes, ...judgement.warnings, ...notesOf(judgement)], outcome };
    } catch (error) {
      if (!(error instanceof PostgresError)) throw error;
      return { manifest, ...name, notes, outcome: unknown(error.message) };
    }
  }

  /** Nobody asks a cluster: whose table it is, is what the registry says of an object of that namespace and name. */
  async #claimOf({ namespace, name, metadata }: Manifest, signal: AbortSignal) {
    const options = { ...REGISTRY_LIMITS, signal };
    this.#registry ??= await this.#database.transaction(options, observeRegistry);
    const find = registryReader(this.#registry);
    const known = this.#registry === "absent" ? { owners: [], clusterIds: [] } : await this.#database.transaction(
      options,
      (transaction) => findOwners(transaction, { namespace, name }),
    );
    const [owner, another] = known.owners;
    if (another !== undefined) return undefined;
    const clusterId = owner?.clusterId ?? soleCluster(known.clusterIds);
    const { allowedFunctions } = this.#options;
    return {
      owner,
      claim: { namespace, name, uid: owner?.uid ?? "", takeOver: metadata.annotations?.[TAKE_OVER_ANNOTATION] },
      catalog: new LiveCatalog({ database: this.#database, clusterId, allowedFunctions, find }),
    };
  }

  /** What is approved already, by the annotation or as the rest of a plan that has begun, waits for nobody. */
  async #withApproval(outcome: Outcome, judged: Judged, signal: AbortSignal): Promise<Outcome> {
    const { spec, judgement: { plan }, claimed: { owner }, manifest: { metadata } } = judged;
    if (outcome.kind !== "changes" || plan === undefined || spec === undefined) return outcome;
    const policy = spec.approval;
    const remembered = owner === undefined || policy === "Automatic" ? [] : await this.#database.transaction(
      { ...REGISTRY_LIMITS, signal },
      (transaction) => approvedStatements(transaction, owner),
    );
    const annotation = metadata.annotations?.[APPROVE_ANNOTATION];
    const needed = await new PlanApproval({ policy, annotation, remembered }).objection(plan);
    if (needed === undefined) return outcome;
    const { kind: _kind, ...approval } = needed;
    return { ...outcome, approval };
  }
}

interface Judged {
  readonly manifest: Manifest;
  readonly spec: DefaultedTableSpec | undefined;
  readonly judgement: LiveJudgement;
  readonly claimed: { readonly owner: Owner | undefined };
}

/** Why the table is not in the database that is asked: only a cluster knows where a reference leads. */
function otherServer(spec: DefaultedTableSpec, server: string | undefined): string | undefined {
  const { databaseRef, connectionSecretRef } = spec;
  const wanted = (databaseRef ?? connectionSecretRef)?.name;
  if (wanted === server) return undefined;
  if (wanted === undefined) {
    return `Cannot ask the operator's own database: with --server ${server} DATABASE_URL is that of another one`;
  }
  const field = databaseRef === undefined ? "spec.connectionSecretRef" : "spec.databaseRef";
  return `Cannot ask the server of ${field} (${wanted}): no cluster is asked where it is; set DATABASE_URL to its address ` +
    `and give --server ${wanted}`;
}

const AMBIGUOUS =
  "Cannot tell whose table it is: objects of that namespace and name of several clusters own tables here";

function soleCluster(clusterIds: readonly Owner["clusterId"][]): string {
  const [first] = clusterIds;
  return first !== undefined && clusterIds.length === 1 ? first : NO_CLUSTER;
}

function manifestFaults({ apiVersion, name }: Manifest): readonly FieldError[] {
  return [
    ...(apiVersion === API_VERSION ? [] : [notSupported("apiVersion", apiVersion, [API_VERSION])]),
    ...(name === "" ? [required("metadata.name", "must be set: generateName is not planned")] : []),
  ];
}

/** Objects of the same files that cannot both be applied. Pure. */
export function refuseRivals(planned: readonly PlannedManifest[]): readonly PlannedManifest[] {
  const names = new Map<string, PlannedManifest>();
  const tables = new Map<string, PlannedManifest>();
  return planned.map((each) => {
    const { manifest: { namespace, name }, table } = each;
    const key = `${namespace}/${name}`;
    const twin = names.get(key);
    const rival = table === undefined ? undefined : tables.get(table);
    names.set(key, each);
    if (table !== undefined) tables.set(table, rival ?? each);
    if (twin !== undefined) return refused(each, invalid("metadata.name", `${key} is in ${twin.manifest.source} too`));
    if (rival === undefined) return each;
    const other = `${rival.manifest.namespace}/${rival.manifest.name}`;
    return refused(
      each,
      invalid("spec.tableName", `table ${table} is wanted by DatabaseTable ${other} of these files too`),
    );
  });
}

function refused(planned: PlannedManifest, fault: FieldError): PlannedManifest {
  const before = planned.outcome.kind === "refused" ? planned.outcome.faults : [];
  return { ...planned, outcome: { kind: "refused", faults: [...before, fault] } };
}

function outcomeOf({ faults, plan }: LiveJudgement, spec: DefaultedTableSpec | undefined): Outcome {
  if (faults.length > 0) return { kind: "refused", faults };
  const isHandsOff = spec?.suspend === true || spec?.mode === "Observe";
  if (plan === undefined || isHandsOff) return { kind: "nothing" };
  const statements = plan.steps.flatMap((step) => step.statements);
  return statements.length === 0 && plan.waiting.length === 0
    ? { kind: "nothing" }
    : { kind: "changes", statements, waiting: plan.waiting };
}

function notesOf({ situation }: LiveJudgement): readonly string[] {
  if (situation?.kind !== "owned" || situation.adopting !== true) return [];
  return ["the table exists and is adopted: whoever applies this needs the RBAC verb adopt"];
}

function unknown(reason: string): Outcome {
  return { kind: "unknown", reason };
}
