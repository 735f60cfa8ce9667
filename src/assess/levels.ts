import { EVASION_ATTACKS } from '../attack/registry.ts';
import { parseSpecs, type Spec } from '../core/options.ts';
import type { Norm } from '../threat/norm.ts';
import type { Obstacles } from '../transform/obstacles.ts';

/** How much an assessment does. */
export const LEVELS = ['quick', 'standard', 'exhaustive'] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** Samples that the quick level takes unless told otherwise: about a minute for a small model. */
export const QUICK_SAMPLES = 500;

/** What decides which attacks make sense. */
export interface LevelFacts {
  readonly norm: Norm;
  /** The model file is there, not only an endpoint. */
  readonly whiteBox: boolean;
  /** Samples are pictures. */
  readonly image: boolean;
  /** There is another model to make examples on. */
  readonly surrogate?: boolean;
  /** What stands in a gradient's way in the model's graph. */
  readonly obstacles?: Pick<Obstacles, 'stepped' | 'random'> | undefined;
}

/** Attacks on a model file, each level with those before. Minimum-norm attacks give the curve over eps. */
const WHITE_BOX: Readonly<Record<Level, string>> = {
  quick: 'fgsm, pgd, apgd-ce, square(queries=300), fmn',
  standard: 'autoattack, deepfool',
  exhaustive:
    'autoattack(version=plus), mi-fgsm, acg, ddn, fab, fmn(restarts=5), brendel-bethge, nes, hop-skip-jump, pointwise, spatial, semantic',
};

/** Attacks that only ask, each level with those before. */
const BLACK_BOX: Readonly<Record<Level, string>> = {
  quick: 'square(queries=300)',
  standard: 'square, hop-skip-jump',
  exhaustive: 'simba, nes, rays, geoda, sign-opt, boundary, pointwise',
};

/** Of these, the later one has the earlier one inside. */
const CONTAINED: Readonly<Record<Level, readonly string[]>> = {
  quick: [],
  standard: ['apgd-ce', 'square(queries=300)'],
  exhaustive: ['apgd-ce', 'square(queries=300)', 'fmn', 'autoattack'],
};

/** Answers over which attacks that can do so average the gradient of a model that draws at random. */
const AVERAGE = 10;

/** The attacks of a level that know the norm and suit the samples, the cheapest first. */
export function attacksAt(
  level: Level,
  { norm, whiteBox, image, surrogate, obstacles }: LevelFacts,
): readonly Spec[] {
  const table = whiteBox ? WHITE_BOX : BLACK_BOX;
  const upTo = LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  const texts = [
    ...(surrogate ? ['transfer'] : []),
    ...(obstacles?.random.length ? ['eot-pgd'] : []),
    ...upTo.flatMap((l) => table[l].split(/,\s+/)),
  ];
  const contained = whiteBox ? CONTAINED[level] : level === 'quick' ? [] : ['square(queries=300)'];
  return texts
    .filter((text) => !contained.includes(text))
    .flatMap((text) => parseSpecs(text))
    .filter(({ name }) => {
      const attack = EVASION_ATTACKS.find(({ id }) => id === name);
      if (!attack) return false;
      if (attack.seeks === 'other') return image;
      return attack.norms.includes(norm);
    })
    .map((spec) => passing(spec, obstacles));
}

/** The attack, told how to pass what stands in its gradient's way: steps straight through, random draws by averaging. */
export function passing({ name, options }: Spec, obstacles: LevelFacts['obstacles']): Spec {
  const defaults = EVASION_ATTACKS.find(({ id }) => id === name)!.defaults;
  const hasSteps = (obstacles?.stepped.length ?? 0) > 0;
  const draws = (obstacles?.random.length ?? 0) > 0;
  return {
    name,
    options: {
      ...options,
      ...(hasSteps && 'rounding' in defaults && { rounding: 'straight-through' }),
      ...(draws && 'average' in defaults && { average: AVERAGE }),
      // AutoAttack's own version for such models.
      ...(draws && 'version' in defaults && { version: 'rand' }),
    },
  };
}
