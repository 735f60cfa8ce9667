import type { Value } from '../../onnx/graph-builder.ts';
import type { Constraint } from '../../threat/constraint.ts';
import { ascendInside, intoBall, lossSlope, type Slope } from './inner-ascent.ts';
import type { Climbs, Objective, Scene } from './objective.ts';
import { softmax } from './softmax.ts';
import { type CheckedThreat, placeThreat, threatRecord, threatSettings } from './threat.ts';

/** What examples must satisfy in training, and how a record and a checkpoint know it. */
export interface TrainingConstraint {
  readonly constraint: Constraint;
  /** Digest of the file that says it. */
  readonly digest: string;
}

/** How an objective's attacked samples come about. */
export interface InnerAttack extends Pick<Objective, 'options' | 'outside' | 'settings'> {
  /** The attacked samples `[B, …]`, which count as constants where the loss is differentiated. */
  samples(scene: Scene): Value;
}

/** Size of the noise at which an ascent of the divergence starts, in input units at bounds of width 1: at the sample itself it has no slope. */
const START = 1e-3;

/**
 * Projected gradient ascent, as nodes of the step's graph, or under a constraint by the trainer between steps: a projection onto steps, groups and
 * relations is no graph, so there each inner step is a run of the runtime with the weights of that very training step
 * (`step/constrained-attack.ts`), as `glacis attack` does it. Training then attacks with what an attacker can really send.
 */
export function innerAttack(
  threat: CheckedThreat,
  climbs: Exclude<Climbs, 'kept'>,
  under?: TrainingConstraint,
): InnerAttack {
  if (under) return { ...attackOutside(threat, climbs, under), samples: (scene) => scene.attacked() };
  return {
    options: threatRecord(threat),
    settings: (done) => threatSettings(threat, done),
    samples(scene) {
      const { ball, stepSize, start } = placeThreat(scene, threat);
      const { b, x } = scene;
      if (climbs === 'loss')
        return ascendInside(b, x, start(), lossSlope(scene), ball, threat.steps, stepSize);
      const calm = scene.forward(x, { as: 'deployed' });
      const width = threat.bounds[1] - threat.bounds[0];
      const near = intoBall(b, b.add(x, b.mul(scene.draw('start', 'normal'), START * width)), x, ball);
      return ascendInside(b, x, near, divergenceSlope(scene, calm), ball, threat.steps, stepSize);
    },
  };
}

/** An attack that the trainer makes, with what a record says of it. */
export function attackOutside(
  threat: CheckedThreat,
  climbs: Climbs,
  { constraint, digest }: TrainingConstraint,
): Pick<Objective, 'options'> & Required<Pick<Objective, 'outside'>> {
  return {
    options: { ...threatRecord(threat), constraint: constraint.id, constraintDigest: digest },
    outside: { threat, constraint, climbs, settings: (done) => threatSettings(threat, done) },
  };
}

/** The slope of `KL(f(x) ‖ f(x'))` in the logits of `x'`, of the network as it is deployed; `calm` are the logits of `x`. */
export function divergenceSlope({ b, forward }: Pick<Scene, 'b' | 'forward'>, calm: Value): Slope {
  const likely = softmax(b, calm);
  return (point) => {
    const outputs = forward(point, { as: 'deployed' });
    return { outputs, gradient: b.sub(softmax(b, outputs), likely) };
  };
}
