/** A package of npm that the operator loads, or that such a one depends on. */
export interface ShippedPackage {
  /** As in `deno.lock`: `hono@4.13.19`. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  /** In Deno's cache. */
  readonly folder: string;
}

/** What `deno info --json MODULE` says, as far as it matters here. */
export interface ModuleGraph {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<
    Record<string, {
      readonly name: string;
      readonly version: string;
      readonly dependencies: readonly string[];
      readonly localPath: string;
    }>
  >;
}

/** Every package that a module of the graph is in, and all that those depend on. Pure. */
export function reachedPackages({ modules, npmPackages }: ModuleGraph): readonly ShippedPackage[] {
  const reached = new Set<string>();
  const visit = (id: string) => {
    if (reached.has(id)) return;
    reached.add(id);
    npmPackages[id]?.dependencies.forEach(visit);
  };
  for (const { npmPackage } of modules) if (npmPackage !== undefined) visit(npmPackage);
  return [...reached].toSorted().flatMap((id) => {
    const found = npmPackages[id];
    if (found === undefined) return [];
    const { name, version, dependencies, localPath: folder } = found;
    return [{ id, name, version, dependencies, folder }];
  });
}
