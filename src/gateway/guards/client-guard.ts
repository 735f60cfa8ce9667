import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { guardCalibrationFrom } from '../../detect/calibration/read-calibration.ts';
import type { ClientDetector } from '../../detect/clients/client-detector.ts';
import type { Observations } from '../../detect/detector.ts';
import { type State, stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Action, GuardedInput, GuardKind, GuardSetting } from '../guard.ts';
import { neighbourhoodOf, plainAddress } from '../identity/network-address.ts';
import { type Holds, openHolds } from './holds.ts';

/** Options of guards that watch clients; `action` is what the guard itself thinks right. */
export function clientOptions(action: Exclude<Action, 'pass'>) {
  return z.strictObject({
    action: z
      .enum(['flag', 'degrade', 'refuse'])
      .default(action)
      .describe('What happens to the requests of a client that raised an alarm, that one included.'),
    falsePositiveRate: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe(
        'The share of calm clients that may ever raise an alarm: one of the rates of the calibration; 0.01, or the lowest where that is none of them, unless given.',
      ),
    hold: z
      .number()
      .min(0)
      .max(31_536_000)
      .default(600)
      .describe('Seconds for which a client is held to the action after an alarm.'),
    by: z
      .enum(['principal', 'tenant', 'address'])
      .default('principal')
      .describe(
        'What counts as one client: a principal; all of a tenant together, which leaves a Sybil within one nothing; or all that come from one address (of IPv6: one /64), whatever their tenants.',
      ),
    clients: z
      .number()
      .int()
      .min(1)
      .max(2 ** 20)
      .default(1024)
      .describe('Clients that are remembered; who asked least recently is forgotten first.'),
    queries: z
      .number()
      .int()
      .min(4)
      .max(22)
      .default(15)
      .describe(
        'Queries of all clients that are remembered, as a power of two, where the guard compares across clients.',
      ),
    streams: z
      .array(z.string().min(1).max(200))
      .max(100)
      .default([])
      .describe('Roles whose principals send frames of a camera, which resemble each other.'),
  });
}

type Options = z.output<ReturnType<typeof clientOptions>>;

/** A score that JSON cannot hold is told as this. */
const NO_SCORE = Number.MAX_VALUE;

/**
 * The guard that a detector of clients makes. It judges after the model has run, because what the model said is half of the evidence; what it refuses, the
 * caller does not hear. A client that raised an alarm is held to the action for a while, whatever it asks. Its score is the evidence as a share of the
 * calibrated threshold. Where the call lacks what the detector needs, it refuses. Errors: as {@link GuardKind.make}; `result/invalid` for a memory that was
 * kept with other settings: it is not silently forgotten.
 */
export function clientGuard<Fit>(
  detector: ClientDetector<Fit>,
  { about, options }: { readonly about: string; readonly options: z.ZodType<Options> },
): GuardKind<Options> {
  const { id, needs } = detector;
  return {
    name: id,
    about,
    options,
    features: needs === 'features',
    make(given, setting) {
      const { action, hold, by, streams } = given;
      const { watched, threshold, fit } = openCalibration(detector, setting, given.falsePositiveRate);
      const before = remembered(setting, id);
      const memory = { salt: randomInt(2 ** 48 - 1), capacity: 2 ** given.queries, askers: given.clients };
      const watch = detector.open(fit, watched, memory, before?.arrays.watch as Uint8Array | undefined);
      const holds: Holds = openHolds(given.clients, before?.plain);
      return {
        name: id,
        phase: 'after',
        features: needs === 'features',
        // The score is a share of the threshold.
        alarm: { threshold: 1, action },
        judge(call) {
          const seen = observationsOf(call, watched, needs);
          if (seen === undefined)
            return { action: 'refuse', score: NO_SCORE, because: `${needs} are missing or of another size` };
          const { principal, now } = call;
          const asker = askerOf(call, by);
          const stream = streams.length > 0 && principal.roles.some((role) => streams.includes(role));
          let score = 0;
          let because = '';
          for (let i = 0; i < seen.n; i++) {
            const alarm = watch.observe(asker, seen, i, stream);
            // Written so that NaN is an alarm.
            if (alarm.score <= score) continue;
            score = Number.isFinite(alarm.score) ? alarm.score : NO_SCORE;
            because = alarm.seen;
          }
          score = Math.min(NO_SCORE, score / threshold);
          if (score > 1) {
            holds.hold(asker, now + 1000 * hold);
            return { action, score, because };
          }
          return holds.isHeld(asker, now)
            ? { action, score, because: 'held since an earlier alarm' }
            : { action: 'pass', score };
        },
        snapshot: () =>
          stateToBytes({ kind: `guard ${id}`, plain: holds.keep(), arrays: { watch: watch.snapshot() } }),
      };
    },
  };
}

/** Who counts as one client. Tenants, principals and addresses may bear one name. */
function askerOf({ principal, address }: GuardedInput, by: Options['by']): string {
  if (by === 'tenant') return `tenant ${principal.tenant}`;
  // Callers whose address is unknown are not one client for that.
  if (by === 'address' && plainAddress(address) !== undefined) return `address ${neighbourhoodOf(address)}`;
  return `principal ${principal.id}`;
}

function remembered({ remembered: earlier }: GuardSetting, id: string): State | undefined {
  const bytes = earlier?.(id);
  if (bytes === undefined) return undefined;
  const state = stateFromBytes(`guard ${id}`, bytes);
  if (state.arrays.watch instanceof Uint8Array) return state;
  throw new GlacisError('result/invalid', `state of guard ${id}: expected what was kept, got something else`);
}

/** The calibration, if it is of a model like this one and has the rate. Errors: `option/invalid`. */
function openCalibration<Fit>(
  { id, kept, needs }: ClientDetector<Fit>,
  { model, calibration }: GuardSetting,
  asked: number | undefined,
) {
  const { watched, thresholds, fit } = guardCalibrationFrom(id, calibration);
  const refuse = (wanted: string, got: string): never => {
    throw new GlacisError('option/invalid', `guard ${id}: expected ${wanted}, got ${got}`);
  };
  const { classifier } = model;
  if (classifier === undefined) return refuse('a classifier', `${model.name}, which is none`);
  if (
    watched.sampleDims.join() !== classifier.sampleDims.join() ||
    watched.classes !== classifier.classes ||
    watched.gives !== classifier.gives ||
    (needs === 'features' && watched.features !== classifier.features)
  )
    refuse(`a calibration of ${model.name}`, 'one of a model of other sizes');
  const rates = thresholds.map((each) => each.rate);
  const rate = asked ?? (rates.includes(0.01) ? 0.01 : Math.min(...rates));
  const threshold = thresholds.find((each) => Math.abs(each.rate - rate) < 1e-12)?.threshold;
  if (threshold === undefined || !(threshold > 0))
    return refuse(`a rate of ${rates.join(', ') || 'none'}, as calibrated`, `${rate}`);
  const read = kept.safeParse(fit);
  if (!read.success) return refuse('what the calibration learnt', 'something else');
  return { watched, threshold, fit: read.data };
}

/** What the detector looks at; undefined where something of it is missing. */
function observationsOf(
  call: Parameters<ReturnType<GuardKind<Options>['make']>['judge']>[0],
  {
    sampleDims,
    classes,
    features,
  }: {
    readonly sampleDims: readonly number[];
    readonly classes: number;
    readonly features?: number | undefined;
  },
  needs: ClientDetector<unknown>['needs'],
): Observations | undefined {
  const { n } = call;
  const x = call.floats();
  const scores = call.scores?.();
  if (x?.length !== n * elementCount(sampleDims)) return undefined;
  if (scores?.length !== n * classes) return undefined;
  if (needs === 'features' && call.features?.length !== n * (features ?? 0)) return undefined;
  return { n, x, scores, features: call.features };
}
