import { type Attack, EVASION_ATTACKS, type PlannedAttack, planned } from '../../attack/index.ts';
import type { LabAttackInfo } from '../../gateway/console/api.ts';
import { randomNoise } from './random-noise.ts';

interface Offered {
  readonly id: string;
  /** What it does, for somebody who sees it for the first time. */
  readonly about: string;
  /** What differs from the attack's own defaults: a trial is to take seconds. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The attacks of the lab, from the plainest on. */
const OFFERED: readonly Offered[] = [
  {
    id: 'random-noise',
    about:
      'Changes every value by chance, as far as eps allows. It knows nothing: hold the others against it.',
  },
  {
    id: 'fgsm',
    about: 'Asks once which way makes the model most wrong, and takes one full step that way.',
  },
  {
    id: 'pgd',
    about: 'Takes many small steps uphill on the model’s error, and stays within eps. The usual yardstick.',
    options: { restarts: 0, relativeStep: 0.05 },
  },
  {
    id: 'mi-fgsm',
    about: 'Small steps that keep their momentum, so that what it finds often fools other models, too.',
    options: { steps: 20 },
  },
  {
    id: 'apgd-ce',
    about: 'Steps that become shorter by themselves when they stop paying off. Strong without tuning.',
    options: { steps: 50 },
  },
  {
    id: 'deepfool',
    about: 'Walks to the nearest boundary between two classes, again and again. Shows how little it takes.',
  },
  {
    id: 'ddn',
    about: 'Looks for the nearest example by shrinking the change whenever it still works.',
  },
  {
    id: 'cw-l2',
    about: 'Weighs “as small as can be” against “surely wrong” until both hold. Slow, and hard to beat.',
    options: { steps: 150, searchSteps: 4, initialConst: 0.1 },
  },
  {
    id: 'jsma',
    about: 'Changes as few values as possible, each as far as it goes: those that matter most to the model.',
  },
  {
    id: 'square',
    about: 'Tries squares of colour at random and keeps what lowers the right score. Needs only the scores.',
    options: { queries: 2000 },
  },
  {
    id: 'simba',
    about: 'Tries one direction after another and keeps what lowers the right score.',
    options: { queries: 4000 },
  },
  {
    id: 'one-pixel',
    about: 'Breeds changes of a few pixels and keeps the fittest. Needs only the scores.',
    options: { steps: 30, population: 100, queries: 3100 },
  },
  {
    id: 'hop-skip-jump',
    about: 'Starts from something wrong and creeps back along the boundary. Needs only the model’s word.',
    options: { steps: 24, maxEval: 500, queries: 6000 },
  },
  {
    id: 'boundary',
    about:
      'Feels its way along the boundary by random steps. The first attack that needed only the model’s word.',
    options: { steps: 3000, queries: 4000 },
  },
  {
    id: 'spatial',
    about: 'Turns and shifts the picture, as a tilted camera would. No noise at all.',
  },
  {
    id: 'semantic',
    about:
      'Changes hue, saturation, brightness, contrast and angle, the worst way that a person would accept.',
  },
];

/** What the lab knows of each of its attacks, for people. */
export const LAB_ATTACKS: readonly LabAttackInfo[] = OFFERED.map(({ id, about, options }) => {
  const { attack, options: merged } = plannedFrom(id, options);
  return {
    id,
    title: attack.title,
    about,
    needs: id === randomNoise.id ? 'nothing' : attack.needs,
    seeks: attack.seeks,
    size: attack.threat?.describe(merged),
    norms: attack.norms,
    blackBox: attack.needs !== 'gradient',
  };
});

/** The attack of that name as the lab runs it; undefined for another. */
export function labAttack(id: string): PlannedAttack | undefined {
  const offered = OFFERED.find((each) => each.id === id);
  return offered && plannedFrom(offered.id, offered.options);
}

function plannedFrom(id: string, options: Offered['options'] = {}): PlannedAttack {
  const all: readonly Attack<object>[] = [...EVASION_ATTACKS, randomNoise as unknown as Attack<object>];
  const attack = all.find((each) => each.id === id);
  if (attack === undefined) throw new RangeError(`lab: there is no attack ${id}`);
  return planned(attack, options as Partial<object>);
}
