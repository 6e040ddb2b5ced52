/** One request as the API server's audit log has it. */
export interface AuditedRequest {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `databases/status`. */
  readonly resource: string;
  readonly name: string;
  /** HTTP status of the answer. */
  readonly code: number;
}

/** A rule of a Role or a ClusterRole. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * What rules grant and no request needed, one line each: `delete pods`, `get leases.coordination.k8s.io tablewright`. Pure.
 */
export function unusedGrants(rules: readonly PolicyRule[], requests: readonly AuditedRequest[]): readonly string[] {
  const used = new Set(requests.flatMap(grantsOf));
  return rules.flatMap(grantsIn).filter((grant) => !used.has(grant)).toSorted();
}

/** An apply that makes an object is allowed by `create` too, which the log does not tell. */
function grantsOf({ verb, group, resource, name, code }: AuditedRequest): readonly string[] {
  const verbs = verb === "patch" && code === 201 ? ["patch", "create"] : [verb];
  return verbs.flatMap((each) => [grant(each, group, resource), `${grant(each, group, resource)} ${name}`]);
}

function grantsIn({ apiGroups, resources, resourceNames = [], verbs }: PolicyRule): readonly string[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => {
        const whole = grant(verb, group, resource);
        return resourceNames.length === 0 ? [whole] : resourceNames.map((name) => `${whole} ${name}`);
      })
    )
  );
}

function grant(verb: string, group: string, resource: string): string {
  return `${verb} ${group === "" ? resource : `${resource}.${group}`}`;
}
