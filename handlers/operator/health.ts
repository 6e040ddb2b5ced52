/** Why a check fails; `undefined` if all is well. One line, without secrets. */
export type Fault = string | undefined;

/** One named question about this process, asked anew by each probe. */
export interface HealthCheck {
  /** In lower case with hyphens, as `/readyz?verbose` shows it. */
  readonly name: string;
  /** `informational`: shown, but a fault makes nobody unhealthy; what a restart or another replica cannot mend belongs here. */
  readonly weight: "required" | "informational";
  readonly check: () => Fault | Promise<Fault>;
}

/** What a check answered. */
export interface CheckResult extends Pick<HealthCheck, "name" | "weight"> {
  readonly fault: Fault;
}

/** The checks behind one address of the operations server: any module adds its own. */
export class HealthChecks {
  readonly #checks: HealthCheck[] = [];

  add(...checks: readonly HealthCheck[]): this {
    this.#checks.push(...checks);
    return this;
  }

  /** Asks all of them at once, in the order in which they were added. A check that throws has failed. */
  async results(): Promise<readonly CheckResult[]> {
    return await Promise.all(this.#checks.map(async ({ name, weight, check }) => {
      try {
        return { name, weight, fault: await check() };
      } catch (error) {
        return { name, weight, fault: error instanceof Error ? error.message : String(error) };
      }
    }));
  }
}

/** Whether nothing that is required fails. */
export function isHealthy(results: readonly CheckResult[]): boolean {
  return results.every(({ weight, fault }) => weight === "informational" || fault === undefined);
}
