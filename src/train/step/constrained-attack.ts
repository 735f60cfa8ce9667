import { throwIfCancelled } from '../../core/cancel.ts';
import { randomFrom } from '../../core/random.ts';
import type { Model } from '../../onnx/model.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { f32, type HostTensor } from '../../runtime/array.ts';
import type { Engine } from '../../runtime/engine.ts';
import { inLayout } from '../../runtime/layout.ts';
import type { Constraint } from '../../threat/constraint.ts';
import { randomStart } from '../../threat/norm.ts';
import { vjp } from '../../transform/gradient/vjp.ts';
import type { Criterion } from '../criterion/criterion.ts';
import { intoBall, lossSlope, steepest, whereFree } from '../objective/inner-ascent.ts';
import { divergenceSlope } from '../objective/inner-attack.ts';
import type { Climbs } from '../objective/objective.ts';
import type { CheckedThreat } from '../objective/threat.ts';
import { openNetwork } from './network.ts';
import { projectedRows } from './projected-rows.ts';

/** What {@link openConstrainedAttack} attacks. */
export interface ConstrainedAttackOptions {
  /** Initializers that are trained. */
  readonly parameters: readonly string[];
  readonly criterion: Criterion;
  /** Samples in a run. */
  readonly rows: number;
  readonly threat: CheckedThreat;
  readonly constraint: Constraint;
  /** What the attack makes large. Default `loss`. */
  readonly climbs?: Exclude<Climbs, 'kept'>;
  /** Channels in a block of the runtime's layout. */
  readonly block: number;
  /** Of the random starts. */
  readonly seed: number;
}

/** What a training step holds before it. */
export interface HeldArrays {
  /** The array of an initializer, as the step holds it. */
  weight(name: string): HostTensor;
  /** What the objective keeps under this name. */
  kept?(name: string): HostTensor;
}

/** A batch to attack, and with which weights. */
export interface AttackedBatch extends HeldArrays {
  /** Clean samples `[rows, …]`, which satisfy the constraint. */
  readonly x: HostTensor;
  readonly targets: HostTensor;
  /** Their numbers in the data, which decide their starts together with seed and {@link at}. */
  readonly samples: ArrayLike<number>;
  readonly at: number;
  /** Radius and step length now. */
  readonly eps: number;
  readonly stepSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** An attack under a constraint on the network in training. */
export interface ConstrainedAttack {
  /** The samples as PGD from a random start leaves them: each in ball and bounds, and with the constraint satisfied. Errors: `run/cancelled`, `run/failed`. */
  attack(batch: AttackedBatch): Promise<HostTensor>;
  close(): Promise<void>;
}

/**
 * Opens projected gradient ascent under a constraint. The graph makes one step: it gives the slope of the loss at the projected copies and moves the
 * free iterates along it (straight-through), in the ball; between runs the rows are projected here. Elements that may not change take no
 * part of a step. The network is attacked as it is deployed.
 */
export async function openConstrainedAttack(
  engine: Engine,
  model: Model,
  { parameters, criterion, rows, threat, constraint, climbs = 'loss', block, seed }: ConstrainedAttackOptions,
): Promise<ConstrainedAttack> {
  const network = openNetwork(model, parameters, rows);
  const { b } = network.trace;
  const { x } = network;
  const outputs = network.forward(x, { as: 'deployed' }).dims[1]!;
  const { dtype, dims } = criterion.targets(rows, outputs);
  const targets = b.builder.input('targets', dtype, dims);
  const free = b.builder.input('free', 'float32', x.dims);
  const start = b.builder.input('clean', 'float32', x.dims);
  const [eps, stepSize] = [b.builder.input('eps', 'float32', []), b.builder.input('stepSize', 'float32', [])];
  const scene = { b, criterion, targets, forward: network.forward };
  // What the network answers to the samples as they are, which the first run of a batch finds.
  const calm = climbs === 'divergence' ? b.builder.input('calm', 'float32', [rows, outputs]) : undefined;
  const { outputs: answer, gradient: uphill } = (calm ? divergenceSlope(scene, calm) : lossSlope(scene))(x);
  const [gradient] = vjp(b, [{ value: answer, grad: uphill }], [x]);
  const { norm, bounds } = threat;
  const way = steepest(b, whereFree(b, gradient!, constraint), norm);
  const moved = b.add(free, b.mul(way, stepSize));
  const next = intoBall(b, moved, start, { norm, eps, bounds });
  const held = [
    ...network.weights.map(({ name, value }) => ({ name, input: value.name })),
    ...network.statistics().map(({ name, before }) => ({ name, input: before.name })),
  ];
  const session = await engine.open(
    inLayout(b.builder, { next, ...(calm ? { answer } : {}) }, block, 'constrained attack'),
  );
  const size = elementCount(x.dims.slice(1));
  const scalar = (value: number) => f32(Float32Array.of(value), []);
  return {
    async attack(batch) {
      const clean = batch.x.data as Float32Array;
      const ball = { norm, eps: batch.eps, bounds, constraint };
      let iterates = clean.slice();
      for (let row = 0; row < rows; row++)
        randomStart(
          ball,
          clean,
          iterates,
          row * size,
          size,
          randomFrom(seed, 'train', 'start', batch.at, batch.samples[row]!),
        );
      const projected = () => f32(projectedRows(iterates, clean, size, ball), x.dims);
      // Weights are the same for all inner steps, but stay in no session.
      const shared = {
        ...Object.fromEntries(held.map(({ name, input }) => [input, batch.weight(name)])),
        [targets.name]: batch.targets,
        [start.name]: batch.x,
        [eps.name]: scalar(batch.eps),
        [stepSize.name]: scalar(batch.stepSize),
      };
      const used = Object.fromEntries(
        Object.entries(shared).filter(([name]) => session.inputs.includes(name)),
      );
      const run = (point: HostTensor) => {
        throwIfCancelled(batch.signal, 'training');
        return session.run({ ...used, [x.name]: point, [free.name]: f32(iterates, x.dims) });
      };
      if (calm) {
        used[calm.name] = f32(new Float32Array(rows * outputs), calm.dims);
        used[calm.name] = (await run(batch.x)).answer!;
      }
      for (let step = 0; step < threat.steps; step++)
        iterates = (await run(projected())).next!.data as Float32Array<ArrayBuffer>;
      return projected();
    },
    close: () => session.close(),
  };
}
