import { asGlacisError, GlacisError } from '../../core/error.ts';
import { beHelper } from '../../core/helper-process.ts';
import { startEngine } from '../../runtime/engine.ts';
import type { FromLab, ToLab, Trial } from './messages.ts';
import { type OpenTrial, openTrial } from './open-trial.ts';
import { tryAttack } from './try-attack.ts';

// The program of the process that `open-lab.ts` starts: one trial after another. It may be killed at any time; nobody else's work is in it.

const engine = startEngine({ threads: 1 });
const waiting = new Map<number, { resolve(scores: Float32Array): void; reject(error: Error): void }>();
let next = 1;
let kept: { readonly key: string; readonly opened: OpenTrial } | undefined;
let most = Number.POSITIVE_INFINITY;

const tell = (message: FromLab): void => {
  process.send?.(message);
};
const ask = (points: Float32Array, n: number): Promise<Float32Array> =>
  new Promise((resolve, reject) => {
    const id = next++;
    waiting.set(id, { resolve, reject });
    tell({ kind: 'ask', id, points: points.slice(), n });
  });

async function opened(trial: Trial): Promise<OpenTrial> {
  const key = JSON.stringify(trial.model);
  if (kept?.key === key) return kept.opened;
  const before = kept?.opened.subject;
  kept = undefined;
  await before?.target?.close();
  await before?.predictor.close();
  const made = await openTrial(engine, trial, ask);
  kept = { key, opened: made };
  return made;
}

async function run(trial: Trial): Promise<void> {
  most = trial.memory;
  try {
    const { subject, batch } = await opened(trial);
    let told = 0;
    const outcome = await tryAttack(subject, {
      order: trial.order,
      range: trial.range,
      batch,
      signal: new AbortController().signal,
      progress(share) {
        if (share - told < 0.02) return;
        told = share;
        tell({ kind: 'progress', share });
      },
    });
    tell({ kind: 'done', outcome });
  } catch (thrown) {
    const { code, message } = asGlacisError(thrown, 'run/failed', 'lab');
    tell({ kind: 'failed', code, message });
  }
}

process.on('message', (message: ToLab) => {
  if (message.kind === 'run') return void run(message.trial);
  const asked = waiting.get(message.id);
  waiting.delete(message.id);
  if (message.kind === 'answer') asked?.resolve(message.scores);
  else asked?.reject(new GlacisError('run/failed', `lab: ${message.because}`));
});
beHelper(
  () => most,
  (bytes) =>
    tell({
      kind: 'failed',
      code: 'run/failed',
      message: `lab: expected at most ${Math.round(bytes / 2 ** 20)} MiB of memory, got more`,
    }),
);
