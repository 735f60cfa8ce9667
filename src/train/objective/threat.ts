import { GlacisError } from '../../core/error.ts';
import { checkInner, startInside, type TrainingBall } from './inner-ascent.ts';
import type { Scene } from './objective.ts';

/** What the attacks of adversarial training may do. */
export interface TrainingThreat {
  readonly norm: 'linf' | 'l2';
  /** Radius in input units; above 0. */
  readonly eps: number;
  /** Lowest and highest value of an element. Default [0, 1]. */
  readonly bounds?: readonly [number, number];
  /** Steps of the inner attack. */
  readonly steps: number;
  /** Length of a step as a share of eps. Default 2.5 / steps (Madry et al. 2018), 1 for a single step. */
  readonly stepShare?: number;
  /** Share of all steps over which eps grows from 0, in [0, 1). Default 0. */
  readonly ramp?: number;
}

/** A {@link TrainingThreat} that was checked, with its defaults. */
export type CheckedThreat = Required<TrainingThreat>;

/** Fills in the defaults. Errors: `option/invalid`. */
export function checkedThreat(threat: TrainingThreat): CheckedThreat {
  const { steps } = threat;
  const stepShare = threat.stepShare ?? (steps === 1 ? 1 : 2.5 / steps);
  const checked = { bounds: [0, 1] as const, ramp: 0, ...threat, stepShare };
  checkInner(checked);
  const rules: readonly (readonly [string, boolean, string, number])[] = [
    ['eps', checked.eps > 0 && Number.isFinite(checked.eps), 'a number above 0', checked.eps],
    ['stepShare', stepShare > 0 && Number.isFinite(stepShare), 'a number above 0', stepShare],
    ['ramp', checked.ramp >= 0 && checked.ramp < 1, 'a share from 0 up to, but not, 1', checked.ramp],
  ];
  for (const [name, holds, expected, got] of rules)
    if (!holds) throw new GlacisError('option/invalid', `${name}: expected ${expected}, got ${got}`);
  return checked;
}

/** The threat as plain values, for records. */
export function threatRecord({ norm, eps, bounds, steps, stepShare, ramp }: CheckedThreat) {
  return { norm, eps, lowest: bounds[0], highest: bounds[1], steps, stepShare, ramp } as const;
}

/** Settings of a step: the radius, grown so far, and the length of the inner attack's steps. */
export function threatSettings({ eps, stepShare, ramp }: CheckedThreat, done: number) {
  const grown = ramp === 0 ? eps : eps * Math.min(1, done / ramp);
  return { eps: grown, stepSize: grown * stepShare };
}

/** The ball in the scene's graph, the length of a step, and a random start. */
export function placeThreat(scene: Scene, { norm, bounds }: CheckedThreat) {
  const ball: TrainingBall = { norm, eps: scene.setting('eps'), bounds };
  const start = () =>
    startInside(scene.b, scene.x, scene.draw('start', norm === 'linf' ? 'uniform' : 'normal'), ball);
  return { ball, stepSize: scene.setting('stepSize'), start };
}
