import { pairedContrast, rateOf } from '../compare/contrast.ts';
import type { Attacker, DefenceEvaluation, DefenceRow } from './result.ts';

/** 100 samples of which the first are right. */
export const rights = (right: number) => Uint8Array.from({ length: 100 }, (_, i) => (i < right ? 1 : 0));

/** A row whose figures fit each other. */
export function row(attacker: Attacker, before: number, after: number): DefenceRow {
  const [undefended, defended] = [rights(before), rights(after)];
  const { difference, interval, pairs, p } = pairedContrast(undefended, defended);
  return {
    attacker,
    undefended: rateOf(undefended),
    defended: rateOf(defended),
    difference,
    interval,
    pairs: pairs!,
    p,
  };
}

/** Rows of a defence that keeps so many under examples made without knowing of it, and under the best attacker. */
export const rows = (unaware: number, worst: number): readonly DefenceRow[] => [
  row('clean', 98, 97),
  row('unaware', 5, unaware),
  row('direct', 5, 40),
  row('adaptive', 5, worst),
  row('margin', 6, worst + 1),
  row('asking', 60, 61),
  row('worst', 5, worst),
];

/** A whole evaluation around rows. */
export const evaluation = (of: readonly DefenceRow[]): DefenceEvaluation => ({
  schema: 'glacis.defence/1',
  undefended: { name: 'plain.onnx', digest: 'sha256:0', notes: [] },
  defended: { name: 'jpeg.onnx\u001b[2J', digest: 'sha256:1', notes: [] },
  defences: 'jpeg(quality=75)',
  randomised: false,
  data: { digest: 'sha256:2', n: 100, description: '100 pictures', notes: [] },
  norm: 'linf',
  eps: 8 / 255,
  seed: 0,
  environment: { glacis: '0', onnxruntime: '0', node: '0', os: 'test', cpu: '', threads: 1, device: 'cpu' },
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.000Z',
  rows: of,
});
