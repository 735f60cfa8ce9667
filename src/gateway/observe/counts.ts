import { Counter, type Registry } from 'prom-client';

/** Counts by labels that reach their metric when somebody reads it: adding to a metric itself, with its checks of labels, costs a microsecond each time. */
export interface Counts {
  /** `labels` in the order in which they were named. */
  add(labels: readonly string[], more: number): void;
}

/** Between labels: it stands in no name of a model, guard or outcome. */
const APART = '\0';

/** A counter of Prometheus that is added to as it is read. The caller bounds the labels. */
export function laterCounts(
  registry: Registry,
  {
    name,
    help,
    labels,
  }: { readonly name: string; readonly help: string; readonly labels: readonly string[] },
): Counts {
  let waiting = new Map<string, { readonly labels: readonly string[]; count: number }>();
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      for (const { labels: values, count } of waiting.values()) this.labels(...values).inc(count);
      waiting = new Map();
    },
  });
  return {
    add(values, more) {
      const key = values.length === 1 ? values[0]! : values.join(APART);
      const known = waiting.get(key);
      if (known === undefined) waiting.set(key, { labels: values, count: more });
      else known.count += more;
    },
  };
}

/** Durations by a label, in buckets. */
export interface Durations<Name extends string> {
  observe(label: Name, seconds: number): void;
}

/** A histogram of Prometheus whose labels are known beforehand: an observation is an addition. `bounds` rise. */
export function fixedHistogram<Name extends string>(
  registry: Registry,
  {
    name,
    help,
    label,
    of,
    bounds,
  }: {
    readonly name: string;
    readonly help: string;
    readonly label: string;
    readonly of: readonly Name[];
    readonly bounds: readonly number[];
  },
): Durations<Name> {
  const series = Object.fromEntries(
    of.map((each) => [each, { counts: new Float64Array(bounds.length + 1), sum: 0, count: 0 }]),
  ) as Record<Name, { readonly counts: Float64Array; sum: number; count: number }>;
  const values = () =>
    of
      .filter((each) => series[each].count > 0)
      .flatMap((each) => {
        const { counts, sum, count } = series[each];
        let below = 0;
        const buckets = [...bounds, '+Inf'].map((le, i) => {
          below += counts[i]!;
          return { metricName: `${name}_bucket`, labels: { le, [label]: each }, value: below };
        });
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels: { [label]: each }, value: sum },
          { metricName: `${name}_count`, labels: { [label]: each }, value: count },
        ];
      });
  const metric = {
    name,
    get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() }),
  };
  // The registry asks a metric for no more than this, whatever its type says.
  registry.registerMetric(metric as unknown as Counter);
  return {
    observe(each, seconds) {
      const one = series[each];
      let place = 0;
      while (place < bounds.length && seconds > bounds[place]!) place++;
      one.counts[place]!++;
      one.sum += seconds;
      one.count++;
    },
  };
}
