/** What the monitors must know of a model in service. Plain data. */
export interface MonitoredModel {
  readonly model: string;
  readonly version: string | undefined;
  readonly digest: string | undefined;
  /** Undefined where it is no classifier. */
  readonly classes: number | undefined;
  /** Sizes of one sample; undefined where samples cannot be sketched (texts, sizes that vary). */
  readonly sampleDims: readonly number[] | undefined;
  readonly datatype?: string | undefined;
  /** Names of a table's columns. */
  readonly names?: readonly string[] | undefined;
}

/** The same for the same monitors. */
export function keyOf({ model, digest }: Pick<MonitoredModel, 'model' | 'digest'>): string {
  return `${digest ?? ''}\n${model}`;
}
