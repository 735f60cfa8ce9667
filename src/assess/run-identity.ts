import { createHash } from 'node:crypto';
import type { PlannedAttack } from '../attack/registry.ts';
import type { AssessOptions } from './assess.ts';

import type { CorruptionPlan } from './corruption/plan.ts';
import { cellName } from './corruption/plan.ts';
import { glacisVersion } from './environment.ts';
import type { Loaded, LoadOptions } from './load.ts';
import type { RunIdentity } from './run-store.ts';

/** The options that a result depends on. */
type IdentityOptions = Omit<LoadOptions, 'model'> &
  Pick<AssessOptions, 'norm' | 'seed' | 'device' | 'towards'>;

/** What must be the same for a checkpoint to be taken up. The batch may differ: it changes no result. */
export function identityOf(
  { source, surrogate, adapted, bounds, constraint, labels, task }: Loaded,
  plans: readonly PlannedAttack[],
  eps: readonly number[],
  options: IdentityOptions,
  corruption?: CorruptionPlan | undefined,
): RunIdentity {
  const {
    input,
    output,
    shape,
    range,
    layout,
    mean,
    std,
    fix,
    tolerance,
    device = 'cpu',
    eightBit,
  } = options;
  return {
    glacis: glacisVersion(),
    model: source.digest,
    ...(surrogate && { surrogate: [surrogate.digest, options.surrogate?.mean, options.surrogate?.std] }),
    data: adapted.digest,
    samples: digestOf(adapted.indices),
    labels: digestOf(labels),
    n: adapted.n,
    seed: options.seed ?? 0,
    attacks: plans.map(({ attack, options: chosen }) => [attack.id, chosen]),
    norm: options.norm,
    eps,
    ...(options.towards !== undefined && { towards: options.towards }),
    ...(corruption && { corruption: corruption.cells.map(cellName) }),
    task,
    bounds: bounds.map(String),
    ...(constraint && { constraint: constraint.title, constraintFile: options.constraint }),
    ...Object.fromEntries(
      Object.entries({
        input,
        output,
        shape,
        range,
        layout,
        mean,
        std,
        fix,
        tolerance,
        device,
        eightBit,
      }).filter(([, value]) => value !== undefined),
    ),
  };
}

function digestOf(values: ArrayBufferView): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}
