import type { PlannedAttack } from '../../attack/registry.ts';
import type { Rights } from '../compare/contrast.ts';
import type { Attacker, DetectorRow } from './result.ts';

/** The attacks on both models. */
export interface DefencePlans {
  /** On the undefended model, past whatever stands in its own gradient's way. */
  readonly plain: PlannedAttack;
  readonly direct: PlannedAttack;
  /** `undefined` where it would be the direct one again. */
  readonly adaptive: PlannedAttack | undefined;
  /** On either model, past what stands in its gradient's way. */
  readonly margin: { readonly plain: PlannedAttack; readonly guarded: PlannedAttack };
  readonly asking: PlannedAttack;
}

/** What is known of each sample under one attacker: 1 where a model is right. */
export interface AttackerRecord {
  readonly attacker: Attacker;
  readonly attack: PlannedAttack | undefined;
  readonly undefended: Rights;
  readonly defended: Rights;
}

/** All that was found, filled from the first sample on. */
export interface DefenceRecord {
  readonly rows: readonly AttackerRecord[];
  /** Clean samples that the detector lets through. */
  readonly passed: Rights;
  /** Counts of the detector, by attacker. */
  readonly detected: Map<DetectorRow['attacker'], Omit<DetectorRow, 'attacker'>>;
}

/** An empty record of `n` samples. */
export function recordOf(plans: DefencePlans, n: number): DefenceRecord {
  const row = (attacker: Attacker, attack?: PlannedAttack): AttackerRecord => ({
    attacker,
    attack,
    undefended: new Uint8Array(n),
    defended: new Uint8Array(n),
  });
  return {
    rows: [
      row('clean'),
      row('unaware', plans.plain),
      row('direct', plans.direct),
      ...(plans.adaptive ? [row('adaptive', plans.adaptive)] : []),
      row('margin', plans.margin.guarded),
      row('asking', plans.asking),
      row('worst'),
    ],
    passed: new Uint8Array(n),
    detected: new Map(),
  };
}

/** Enters which samples from `start` on are wrong under an attacker. */
export function enterRow(
  record: DefenceRecord,
  attacker: Attacker,
  start: number,
  undefended: Uint8Array,
  defended: Uint8Array,
): void {
  const row = record.rows.find((each) => each.attacker === attacker)!;
  row.undefended.set(
    undefended.map((wrong) => 1 - wrong),
    start,
  );
  row.defended.set(
    defended.map((wrong) => 1 - wrong),
    start,
  );
}

/** Counts what the detector does with examples of samples that count: right and let through before the attack. */
export function enterDetected(
  record: DefenceRecord,
  attacker: DetectorRow['attacker'],
  counts: Uint8Array,
  wrong: Uint8Array,
  passes: Uint8Array,
): void {
  const known = record.detected.get(attacker) ?? { n: 0, fooled: 0, rejected: 0 };
  const sum = (holds: (i: number) => boolean) =>
    counts.reduce((so, one, i) => so + (one && holds(i) ? 1 : 0), 0);
  record.detected.set(attacker, {
    n: known.n + sum(() => true),
    fooled: known.fooled + sum((i) => wrong[i] === 1),
    rejected: known.rejected + sum((i) => wrong[i] === 1 && passes[i] === 0),
  });
}
