import type { Registry } from "prom-client";

/** The labels of one series. Their values come from closed sets, never from names that users choose. */
export type Labels<Name extends string> = Readonly<Record<Name, string>>;

export interface MetricDefinition<Label extends string> {
  /** As Prometheus wants it: `workqueue_adds_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
}

export interface HistogramDefinition<Label extends string> extends MetricDefinition<Label> {
  /** Upper bounds; default 5 ms to 10 s. */
  readonly buckets?: readonly number[];
}

export interface Counter<Label extends string> {
  /** @param by Default 1; 0 makes the series visible before anything happened. */
  add(labels: Labels<Label>, by?: number): void;
}

export interface Gauge<Label extends string> {
  set(labels: Labels<Label>, value: number): void;
  add(labels: Labels<Label>, by: number): void;
  /** Forgets every series: those that are set afterwards are all that there are. */
  clear(): void;
}

export interface Histogram<Label extends string> {
  observe(labels: Labels<Label>, value: number): void;
}

/**
 * Where components count. Passed in, never global; the same definition given twice answers the same metric, so that the controllers of
 * two kinds share theirs.
 */
export interface Metrics {
  counter<Label extends string>(definition: MetricDefinition<Label>): Counter<Label>;
  gauge<Label extends string>(definition: MetricDefinition<Label>): Gauge<Label>;
  histogram<Label extends string>(definition: HistogramDefinition<Label>): Histogram<Label>;
  /**
   * Calls back before each scrape, to set what is only known then.
   *
   * @param name A later callback of the same name takes the place of the earlier one.
   */
  onScrape(name: string, collect: () => void): void;
}

/** Metrics that can be scraped. */
export interface ScrapedMetrics extends Metrics {
  readonly contentType: string;
  /** All series in Prometheus' text format. */
  render(): Promise<string>;
}

/** Metrics that nobody reads, at no cost. */
export const noMetrics: Metrics = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {}, add() {}, clear() {} }),
  histogram: () => ({ observe() {} }),
  onScrape() {},
};

/** Makes a registry of its own; the library is loaded here and not before. */
export async function openMetrics(): Promise<ScrapedMetrics> {
  const library = await loadLibrary();
  const registry = new library.Registry();
  const collectors = new Map<string, () => void>();
  const shared = <Metric>(name: string, make: () => Metric): Metric =>
    (registry.getSingleMetric(name) as Metric | undefined) ?? make();
  return {
    counter({ name, help, labels: labelNames }) {
      const options = { name, help, labelNames, registers: [registry] };
      const counter = shared(name, () => new library.Counter(options));
      return { add: (labels, by = 1) => counter.inc(labels, by) };
    },
    gauge({ name, help, labels: labelNames }) {
      const options = { name, help, labelNames, registers: [registry] };
      const gauge = shared(name, () => new library.Gauge(options));
      return {
        set: (labels, value) => gauge.set(labels, value),
        add: (labels, by) => gauge.inc(labels, by),
        clear: () => gauge.reset(),
      };
    },
    histogram({ name, help, labels: labelNames, buckets }) {
      const bounds = buckets === undefined ? {} : { buckets: [...buckets] };
      const options = { name, help, labelNames, registers: [registry], ...bounds };
      const histogram = shared(name, () => new library.Histogram(options));
      return { observe: (labels, value) => histogram.observe(labels, value) };
    },
    onScrape: (name, collect) => void collectors.set(name, collect),
    contentType: registry.contentType,
    render: () => renderAfter(collectors, registry),
  };
}

type Library = Pick<typeof import("prom-client"), "Registry" | "Counter" | "Gauge" | "Histogram">;

/** Part by part: its index takes 35 ms more, for a push gateway, a cluster of workers and figures of Node.js that nobody reads. */
async function loadLibrary(): Promise<Library> {
  const [registry, counter, gauge, histogram] = await Promise.all([
    import("prom-client/registry"),
    import("prom-client/counter"),
    import("prom-client/gauge"),
    import("prom-client/histogram"),
  ]);
  return { Registry: registry.default, Counter: counter.default, Gauge: gauge.default, Histogram: histogram.default };
}

async function renderAfter(collectors: ReadonlyMap<string, () => void>, registry: Registry): Promise<string> {
  for (const collect of collectors.values()) collect();
  return await registry.metrics();
}
