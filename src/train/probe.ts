import { throwIfCancelled } from '../core/cancel.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { f32, type HostTensor } from '../runtime/array.ts';
import type { Engine } from '../runtime/engine.ts';
import { inLayout } from '../runtime/layout.ts';
import type { Constraint } from '../threat/constraint.ts';
import type { Criterion } from './criterion/criterion.ts';
import { feedFor } from './feed.ts';
import { ascendInside, lossSlope, startInside, type TrainingBall } from './objective/inner-ascent.ts';
import type { CheckedThreat } from './objective/threat.ts';
import type { LabelledSamples } from './samples.ts';
import { keyOf, type TrainingState } from './state.ts';
import { openConstrainedAttack } from './step/constrained-attack.ts';
import { openNetwork } from './step/network.ts';
import type { Carried, TrainingStep } from './step/step.ts';

/** Shares of samples that a network gets right. */
export interface Measured {
  /** Mean loss of the samples as they are. */
  readonly loss: number;
  /** As they are; absent for regression. */
  readonly accuracy?: number;
  /** After one step of FGSM with the whole radius. */
  readonly fgsm?: number;
  /** After PGD from one random start. */
  readonly robust?: number;
}

/** Measures a network in training, as it would be deployed. */
export interface Probe {
  measure(state: TrainingState, signal?: AbortSignal): Promise<Measured>;
  close(): Promise<void>;
}

/** What {@link openProbe} measures with. */
export interface ProbeOptions {
  /** Where a state holds what the network needs, and the form of samples. */
  readonly step: Pick<TrainingStep, 'carried' | 'sampleDims' | 'outputs'>;
  readonly parameters: readonly string[];
  readonly criterion: Criterion;
  readonly samples: LabelledSamples;
  /** Number of samples; all of one run where they fit. */
  readonly n: number;
  readonly threat?: CheckedThreat;
  /** What attacked samples must satisfy; then only PGD is tried. */
  readonly constraint?: Constraint;
  readonly seed: number;
  readonly block: number;
  /** Slot whose weights are measured in place of the weights themselves. */
  readonly average?: string;
}

/** Samples in a run. */
const ROWS = 128;

/** Opens a graph that takes weights and samples and counts what is right: as they are and, with a threat, after FGSM and PGD. */
export async function openProbe(engine: Engine, model: Model, options: ProbeOptions): Promise<Probe> {
  const { step, samples, n, constraint, seed } = options;
  const rows = Math.min(ROWS, n);
  const outside =
    constraint &&
    options.threat &&
    (await openConstrainedAttack(engine, model, { ...options, rows, constraint, threat: options.threat }));
  const threat = outside ? undefined : options.threat;
  const network = openNetwork(model, options.parameters, rows);
  const { b } = network.trace;
  const { x } = network;
  const form = options.criterion.targets(rows, step.outputs);
  const targets = b.builder.input('targets', form.dtype, form.dims);
  const counts = b.builder.input('counts', 'float32', [rows]);
  const judge = (point: Value) =>
    options.criterion.write(b, network.forward(point, { as: 'deployed' }), targets);
  const total = (v: Value) => b.sum(b.mul(b.cast(v, 'float32'), counts), [0]);
  const calm = judge(x);
  const outputs: Record<string, Value> = { loss: total(calm.losses) };
  if (calm.hits) outputs.accuracy = total(calm.hits);
  const noise = threat && b.builder.input('start', 'float32', x.dims);
  if (threat && noise && calm.hits) {
    const ball: TrainingBall = { ...threat, eps: b.scalar(threat.eps, 'float32') };
    const slope = lossSlope({ b, criterion: options.criterion, targets, forward: network.forward });
    const once = ascendInside(b, x, x, slope, ball, 1, ball.eps);
    const start = startInside(b, x, noise, ball);
    const stepSize = b.scalar(threat.eps * threat.stepShare, 'float32');
    outputs.fgsm = total(judge(once).hits!);
    outputs.robust = total(judge(ascendInside(b, x, start, slope, ball, threat.steps, stepSize)).hits!);
  }
  const session = await engine.open(inLayout(b.builder, outputs, options.block, 'probe'));
  const wanted = new Map<string, Carried>();
  for (const { name, value } of network.weights) wanted.set(value.name, heldAs(step, name, options.average));
  for (const { name, before } of network.statistics()) wanted.set(before.name, heldAs(step, name));
  const held = (state: TrainingState) => (name: string) => {
    const isWeight = options.parameters.includes(name);
    const each = heldAs(step, name, isWeight ? options.average : undefined);
    return f32(state.get(keyOf(each))!, each.dims);
  };
  const probing = {
    ...step,
    inputs: { x: x.name, targets: targets.name },
    targets: form,
    draws: noise
      ? [
          {
            input: noise.name,
            dims: x.dims.slice(1),
            kind: threat.norm === 'linf' ? ('uniform' as const) : ('normal' as const),
          },
        ]
      : [],
  };
  const feed = feedFor(probing, samples, { seed, augment: [], criterion: options.criterion.name });
  return {
    async measure(state, signal) {
      const weights = Object.fromEntries(
        [...wanted].map(([input, each]) => [input, f32(state.get(keyOf(each))!, each.dims)]),
      );
      const sums = new Map<string, number>();
      for (let at = 0; at < n; at += rows) {
        throwIfCancelled(signal, 'validation');
        const count = Math.min(rows, n - at);
        // The last batch is filled up with its last sample, which then does not count.
        const numbers = Int32Array.from({ length: rows }, (_, i) => at + Math.min(i, count - 1));
        const feeds: Record<string, HostTensor> = { ...weights, ...feed.inputs(numbers, 0, 0) };
        feeds[counts.name] = f32(
          Float32Array.from({ length: rows }, (_, i) => (i < count ? 1 : 0)),
          [rows],
        );
        const run = () => session.run(Object.fromEntries(session.inputs.map((name) => [name, feeds[name]!])));
        const add = (name: string, value: HostTensor) =>
          sums.set(name, (sums.get(name) ?? 0) + Number(value.data[0]));
        const results = await run();
        for (const name of Object.keys(outputs)) add(name, results[name]!);
        if (!outside || !calm.hits) continue;
        const { eps, stepShare } = options.threat!;
        feeds[x.name] = await outside.attack({
          ...{ x: feeds[x.name]!, targets: feeds[targets.name]!, samples: numbers, at: 0 },
          ...{ eps, stepSize: eps * stepShare, weight: held(state), signal },
        });
        add('robust', (await run()).accuracy!);
      }
      return Object.fromEntries([...sums].map(([name, sum]) => [name, sum / n])) as unknown as Measured;
    },
    async close() {
      await Promise.all([session.close(), outside?.close()]);
    },
  };
}

/** Where the state holds an initializer's weight, or its average. */
function heldAs({ carried }: Pick<TrainingStep, 'carried'>, name: string, slot?: string): Carried {
  return carried.find(
    (each) =>
      each.name === name &&
      (slot === undefined ? each.role !== 'slot' && each.role !== 'kept' : each.slot === slot),
  )!;
}
