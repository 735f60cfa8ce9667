import type { Model } from '../../onnx/model.ts';
import type { Engine } from '../../runtime/engine.ts';
import type { OutsideAttack } from '../objective/objective.ts';
import {
  type ConstrainedAttack,
  type ConstrainedAttackOptions,
  openConstrainedAttack,
} from './constrained-attack.ts';
import { keptAttack } from './kept-attack.ts';

/** What {@link openOutsideAttack} needs beside the attack. */
export type OutsideFrame = Omit<ConstrainedAttackOptions, 'threat' | 'constraint' | 'climbs'>;

/** Opens the attack that an objective leaves to the trainer. Errors: those of the engine. */
export async function openOutsideAttack(
  engine: Engine,
  model: Model,
  { threat, constraint, climbs }: OutsideAttack,
  frame: OutsideFrame,
): Promise<ConstrainedAttack> {
  if (climbs === 'kept') return keptAttack({ threat, constraint });
  return openConstrainedAttack(engine, model, { ...frame, threat, constraint, climbs });
}
