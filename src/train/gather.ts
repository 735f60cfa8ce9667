import { GlacisError } from '../core/error.ts';
import { type Material, type MaterialOptions, openMaterial, splitOff } from './material.ts';
import { type DataRecord, dataRecord, type TrainingRecord } from './record.ts';

/** Where training and validation data come from. */
export interface GatherOptions {
  readonly data: string;
  /** Another data set to measure on. */
  readonly validation?: string | undefined;
  readonly validationLabels?: string | undefined;
  /** Share of `data` to hold back instead. Default 0.1 where that leaves 10 samples to measure on, else nothing; 0: nothing. */
  readonly share?: number | undefined;
  /** Decides which samples are held back. */
  readonly seed: number;
  readonly reading: MaterialOptions;
}

/** Training and validation data with what a record says about them. */
export interface Gathered {
  readonly training: Material;
  readonly data: DataRecord;
  readonly validation?: Material;
  readonly validationRecord?: NonNullable<TrainingRecord['validation']>;
}

/** Held back unless a share is given, and the least number of samples for that. */
const USUAL_SHARE = 0.1;
const LEAST = 10;

/** Reads the training data, and the validation data or splits them off. Errors: those of `openMaterial` and `splitOff`. */
export async function gather(options: GatherOptions): Promise<Gathered> {
  const { data: source, validation: other, validationLabels, share, seed, reading } = options;
  if (other !== undefined && share !== undefined)
    throw new GlacisError('option/invalid', 'validation: expected data or a share, got both');
  const all = await openMaterial(source, reading);
  if (other !== undefined) {
    const { n: _, ...rest } = reading;
    const input = reading.input ?? { name: 'input', dims: [null, ...all.shape] };
    const validation = await openMaterial(other, { ...rest, input, labels: validationLabels });
    if (validation.width !== all.width)
      throw new GlacisError(
        'data/mismatch',
        `validation: expected ${all.width} labels a sample as in the training data, got ${validation.width}`,
      );
    const validationRecord = dataRecord(other, validation);
    return { training: all, data: dataRecord(source, all), validation, validationRecord };
  }
  const usual = all.n * USUAL_SHARE >= LEAST ? USUAL_SHARE : 0;
  const part = share ?? usual;
  if (part === 0) return { training: all, data: dataRecord(source, all) };
  const { training, validation } = splitOff(all, part, seed);
  return {
    training,
    data: dataRecord(source, training),
    validation,
    validationRecord: { ...dataRecord(source, validation), share: part },
  };
}
