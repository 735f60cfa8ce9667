import type { Rng } from '../../core/random.ts';
import type { ImageDims } from '../../threat/image-dims.ts';
import { differsFrom, settle } from '../../threat/made-again.ts';
import type { Ball } from '../../threat/norm.ts';
import type { OtherThreat } from '../../threat/other-threat.ts';
import {
  changed,
  PICTURE_CHANGE,
  PICTURE_CHANGES,
  type PictureChangeId,
} from '../../threat/picture/changes.ts';
import { type Frame, frameOf } from '../../threat/picture/frame.ts';
import type { Attack } from '../attack.ts';
import { projectOnto } from '../ball-geometry.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { pictureOf } from '../picture-of.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** How much each part of a picture's look may change, either way from what it is; 0 leaves a part out. */
export interface SemanticOptions {
  /** In degrees. */
  readonly hue: number;
  /** As a share: 0.3 stands for 0.7 to 1.3 times as colourful. */
  readonly saturation: number;
  /** In degrees. */
  readonly rotation: number;
  /** As a share of the range. */
  readonly brightness: number;
  /** As a share: 0.3 stands for 0.7 to 1.3 times the contrast. */
  readonly contrast: number;
  /** By how much every value may move after all that, in the input's units. */
  readonly linf: number;
  /** Gradient steps for each part. */
  readonly steps: number;
  /** Times that all parts are gone through, each in an order and from a start of its own. */
  readonly rounds: number;
  /** In which order parts follow each other: a random one for each round, or hue, saturation, rotation, brightness, contrast. */
  readonly order: 'random' | 'fixed';
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** The parts that options and picture leave, in their fixed order. */
function partsFor(options: SemanticOptions, { channels }: ImageDims): readonly PictureChangeId[] {
  return PICTURE_CHANGES.filter((id) => options[id] > 0 && !(PICTURE_CHANGE[id].needsColour && channels < 3));
}

/** The order with this number among all orders of the parts, in the factorial number system; `undefined` where there is none. */
function orderOf(parts: readonly PictureChangeId[], number: number): readonly PictureChangeId[] | undefined {
  if (!Number.isInteger(number) || number < 0) return undefined;
  const left = [...parts];
  const order: PictureChangeId[] = [];
  let rest = number;
  while (left.length > 0) {
    order.push(...left.splice(rest % left.length, 1));
    rest = Math.floor(rest / (left.length + 1));
  }
  return rest === 0 ? order : undefined;
}

/** How many orders there are. */
function ordersOf({ length }: readonly PictureChangeId[]): number {
  let count = 1;
  for (let n = 2; n <= length; n++) count *= n;
  return count;
}

/** The published ranges, in which budgets are counted. */
const PUBLISHED = {
  hue: 180,
  saturation: 0.3,
  rotation: 10,
  brightness: 0.2,
  contrast: 0.3,
} as const;

/** Parameters of the changes, and last the number of their order. */
const PARAMETERS = [...PICTURE_CHANGES, 'order'] as const;
const ORDER = PICTURE_CHANGES.length;

function threatNamed(id: 'semantic' | 'composite'): OtherThreat<SemanticOptions> {
  return {
    id,
    parameters: PARAMETERS,
    size: (options) =>
      Math.max((options.linf * 255) / 8, ...PICTURE_CHANGES.map((part) => options[part] / PUBLISHED[part])),
    describe({ hue, saturation, rotation, brightness, contrast, linf }) {
      const parts = [
        hue > 0 && `hue by ${hue}°`,
        saturation > 0 && `saturation by ${saturation}`,
        rotation > 0 && `angle by ${rotation}°`,
        brightness > 0 && `brightness by ${brightness}`,
        contrast > 0 && `contrast by ${contrast}`,
        linf > 0 && `then every value by ${linf}`,
      ].filter((part) => part !== false);
      return `either way ${parts.join(', ')}`;
    },
    violation(example) {
      const { x0, image, bounds, options, parameters } = example;
      if (!image) return 'no picture';
      const parts = partsFor(options, image);
      for (const [i, part] of PICTURE_CHANGES.entries()) {
        const most = parts.includes(part) ? options[part] : 0;
        const { neutral } = PICTURE_CHANGE[part];
        // NaN fails, too; a factor of 0.7 is not exactly 1 − 0.3.
        if (!(parameters[i] === neutral || Math.abs(parameters[i]! - neutral) <= most + 1e-6))
          return `${part} changed too much`;
      }
      const order = orderOf(parts, parameters[ORDER]!);
      if (!order) return 'no such order';
      return differsFrom(changed({ image, bounds }, x0, order, parameters), example, options.linf);
    },
  };
}

function* talk(attack: string, victim: Victim, options: SemanticOptions): Talk {
  const { x0, ball, rng } = victim;
  const frame = frameOf(pictureOf(victim, attack), ball.bounds, attack);
  const parts = partsFor(options, frame.image);
  for (let round = 0; round < options.rounds; round++) {
    const random = rng(round);
    const parameters = Float32Array.from(PARAMETERS, (name) =>
      name === 'order' ? 0 : PICTURE_CHANGE[name].neutral,
    );
    if (options.order === 'random') parameters[ORDER] = random.integer(ordersOf(parts));
    let x: Float32Array = x0.slice();
    for (const part of orderOf(parts, parameters[ORDER]!)!)
      x = yield* tuned(victim, frame, part, x, parameters, options, random);
    settle(x, { x0, bounds: ball.bounds, constraint: ball.constraint });
    if (options.linf > 0) yield* ascended(victim, x, parameters, options);
    else yield { kind: 'answers', points: x, count: 1, parameters };
  }
}

/**
 * Gradient ascent on one part's parameter from a random start, on the picture `x` that the parts before it have made: steps by sign of 2.5
 * times the range over the number of steps, as published. Leaves the parameter of highest loss in `parameters`, gives its picture.
 */
function* tuned(
  { size, gradient }: Victim,
  frame: Frame,
  part: PictureChangeId,
  x: Float32Array,
  parameters: Float32Array,
  { steps, ...options }: SemanticOptions,
  rng: Rng,
): Talk<Float32Array> {
  const { neutral, apply, slope } = PICTURE_CHANGE[part];
  const at = PICTURE_CHANGES.indexOf(part);
  const range = options[part];
  const [least, most] = [neutral - range, neutral + range];
  const made = new Float32Array(size);
  const slopes = new Float32Array(size);
  let parameter = least + 2 * range * rng.uniform();
  let best = neutral;
  let bestLoss = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    // As the parameters are kept, so that the example can be made again bit by bit.
    parameter = Math.fround(parameter);
    parameters[at] = parameter;
    apply(frame, x, parameter, made);
    slope(frame, x, parameter, slopes);
    const { loss, gradient: g } = yield* gradient(made, { parameters });
    if (loss > bestLoss) {
      bestLoss = loss;
      best = parameter;
    }
    let uphill = 0;
    for (let i = 0; i < size; i++) uphill += g[i]! * slopes[i]!;
    parameter += (Math.sign(uphill) || 0) * ((2.5 * range) / steps);
    parameter = Math.min(most, Math.max(least, parameter));
  }
  parameters[at] = best;
  if (best === neutral) return x;
  apply(frame, x, best, made);
  return made;
}

/** Gradient ascent on the values themselves, in the Linf ball around the changed picture `x`; steps as in {@link tuned}. */
function* ascended(
  { size, ball, gradient }: Victim,
  x: Float32Array,
  parameters: Float32Array,
  { steps, linf }: SemanticOptions,
): Talk {
  const around: Ball = { norm: 'linf', eps: linf, bounds: ball.bounds };
  const point = x.slice();
  for (let step = 0; step <= steps; step++) {
    const { gradient: g } = yield* gradient(point, { parameters });
    for (let i = 0; i < size; i++) point[i]! += (Math.sign(g[i]!) || 0) * ((2.5 * linf) / steps);
    projectOnto(around, point, x);
    ball.constraint?.project(point, 0, x, 0, size, around);
  }
}

function check(options: SemanticOptions): void {
  numberIn(options, 'hue', 0, 180, 'or equal');
  numberIn(options, 'saturation', 0, 1, 'or equal');
  numberIn(options, 'rotation', 0, 180, 'or equal');
  numberIn(options, 'brightness', 0, 1, 'or equal');
  numberIn(options, 'contrast', 0, 1, 'or equal');
  numberIn(options, 'linf', 0, Number.MAX_VALUE, 'or equal');
  wholeFrom(options, 'steps', 1);
  wholeFrom(options, 'rounds', 1);
  choiceOf(options, 'order', ['random', 'fixed']);
  choiceOf(options, 'rounding', ['zero', 'straight-through']);
}

const cost = (options: SemanticOptions) => {
  const parts = PICTURE_CHANGES.filter((part) => options[part] > 0).length;
  const { rounds, steps, linf } = options;
  return {
    gradients: rounds * (parts * steps + (linf > 0 ? steps + 1 : 0)),
    evaluations: linf > 0 ? 0 : rounds,
  };
};

const shared = {
  needs: 'gradient',
  seeks: 'other',
  norms: [],
  source: 'https://arxiv.org/abs/2202.04235',
  check,
  cost,
} as const;

const DEFAULTS: SemanticOptions = {
  ...PUBLISHED,
  linf: 0,
  steps: 10,
  rounds: 5,
  order: 'random',
  rounding: 'zero',
};

/**
 * Semantic perturbations (Hsiung et al. 2023): hue, saturation, angle, brightness and contrast change one after another within the
 * published ranges, each part's parameter by gradient ascent through the exact derivative of the change. Grey pictures have no hue and
 * no saturation. An example is checked by making it again from its parameters. Deviations: orders are drawn, where the authors can also
 * learn them; a part keeps its parameter of highest loss, not the last; each round starts afresh.
 * Errors: `model/unsupported-task` where samples are no pictures, `option/invalid` where their range is open.
 * Cost: `rounds × steps` gradients for each part, and `rounds` answers.
 */
export const semantic: Attack<SemanticOptions> = defineSampleAttack({
  ...shared,
  id: 'semantic',
  title: 'Hue, saturation, angle, brightness and contrast',
  threat: threatNamed('semantic'),
  use: 'Changes that a person sees and that change nothing: light, camera and colour, found by gradient and so the worst of their kind.',
  defaults: DEFAULTS,
  *talk(victim, options) {
    yield* talk('semantic', victim, options);
  },
});

/**
 * The composite adversarial attack (Hsiung et al. 2023): {@link semantic}, and then every value may move by `linf` (8/255 of a range of 1 by
 * default), by gradient ascent from there. Deviation: the small change comes last, where the authors' order has it anywhere.
 * Errors as there. Cost: `rounds × steps` gradients for each part, and `rounds × (steps + 1)`.
 */
export const composite: Attack<SemanticOptions> = defineSampleAttack({
  ...shared,
  id: 'composite',
  title: 'Composite adversarial attack',
  threat: threatNamed('composite'),
  use: 'Several threats at once: a model that withstands each by itself seldom withstands them together.',
  defaults: { ...DEFAULTS, linf: 8 / 255 },
  *talk(victim, options) {
    yield* talk('composite', victim, options);
  },
});
