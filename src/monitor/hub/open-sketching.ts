import type { Sighting, Sketch } from '../sighting.ts';
import { planSketch, type SketchPlan } from '../sketch/sketch-plan.ts';
import { keyOf, type MonitoredModel } from './monitored-model.ts';
import { openSampler, type Sampler, type SamplerSettings } from './sampler.ts';

/** Knows the models that are watched, and sketches samples of their calls. */
export interface Sketching {
  /** The call with a sketch of the samples that are chosen, in room that is used again: it is to be copied. Undefined where nobody serves the model. */
  sketched(sighting: Sighting, x: Float32Array | undefined): Sighting | undefined;
  /** Models that calls were about, the longest known first. */
  models(): readonly MonitoredModel[];
  /** Samples that were sketched. */
  rows(): number;
  /** Principals that are looked at more closely. */
  suspect(principals: readonly string[]): void;
  /** Goes on with other numbers. */
  reload(sketch: Rates): void;
}

type Rates = Pick<SamplerSettings, 'samples' | 'perSecond'>;

/** Versions of models whose sketches are planned at once. */
const MOST_PLANS = 256;

/** Numbers of the first samples: those that are sketched. */
const FIRST: readonly number[] = Array.from({ length: 64 }, (_, i) => i);

interface Known {
  readonly plan: SketchPlan | undefined;
}

/** Opens it. `describe` is asked once a version; `onModel` hears of each that is new. */
export function openSketching(
  first: Rates,
  {
    describe,
    onModel,
    clock,
  }: Pick<SamplerSettings, 'clock'> & {
    readonly describe: (model: string, digest: string | undefined) => MonitoredModel | undefined;
    readonly onModel: (about: MonitoredModel) => void;
  },
): Sketching {
  let sampler: Sampler = openSampler({ ...first, clock });
  const known = new Map<string, Known | undefined>();
  const models = new Map<string, MonitoredModel>();
  let count = 0;
  let room = new Float32Array(0);
  const knownOf = (sighting: Sighting): Known | undefined => {
    const key = sighting.digest === undefined ? sighting.model : keyOf(sighting);
    const found = known.get(key);
    if (found !== undefined || known.has(key)) return found;
    // Names of models that nobody serves are a caller's: they are not gathered.
    if (known.size >= MOST_PLANS) known.clear();
    const about = describe(sighting.model, sighting.digest);
    if (about === undefined) return undefined;
    const { sampleDims, datatype, names } = about;
    const made: Known = { plan: sampleDims && planSketch({ sampleDims, datatype, names }) };
    known.set(key, made);
    if (!models.has(keyOf(about))) {
      models.set(keyOf(about), about);
      if (models.size > MOST_PLANS) models.delete(models.keys().next().value as string);
      onModel(about);
    }
    return made;
  };
  const sketchOf = (sighting: Sighting, x: Float32Array, plan: SketchPlan): Sketch | undefined => {
    const n = Math.min(sighting.n, Math.floor(x.length / plan.size));
    const rows = n > 0 ? sampler.take(sighting.principal ?? sighting.address, n) : 0;
    if (rows === 0) return undefined;
    count += rows;
    const width = plan.features.length;
    if (room.length < rows * width) room = new Float32Array(rows * width);
    for (let i = 0; i < rows; i++) plan.read(x, i * plan.size, room, i * width);
    return { values: room, rows, width, samples: FIRST };
  };
  return {
    sketched(sighting, x) {
      const about = knownOf(sighting);
      if (about === undefined) return undefined;
      const drawn =
        sighting.sketch === undefined && x !== undefined && about.plan !== undefined
          ? sketchOf(sighting, x, about.plan)
          : undefined;
      return drawn === undefined ? sighting : { ...sighting, sketch: drawn };
    },
    models: () => [...models.values()],
    rows: () => count,
    suspect: (principals) => sampler.suspect(principals),
    reload(sketch) {
      sampler = openSampler({ ...sketch, clock });
    },
  };
}
