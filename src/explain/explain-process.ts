import { asGlacisError, GlacisError } from '../core/error.ts';
import { beHelper } from '../core/helper-process.ts';
import { startEngine } from '../runtime/engine.ts';
import type { FromExplainer, ToExplainer } from './messages.ts';
import { openExplained } from './open-explained.ts';

// The program of the process that `open-explainer.ts` starts: one model, one question after another. It may be killed at any time.

const engine = startEngine({ threads: 1 });
let explained: Awaited<ReturnType<typeof openExplained>> | undefined;
let most = Number.POSITIVE_INFINITY;

const tell = (message: FromExplainer): void => {
  process.send?.(message);
};

async function answer(message: ToExplainer): Promise<FromExplainer> {
  if (message.kind === 'open') {
    most = message.memory;
    explained = await openExplained(engine, message.model);
    return { kind: 'opened' };
  }
  if (explained === undefined) throw new GlacisError('run/failed', 'explanations: no model is open');
  return { kind: 'explained', values: await explained(message.question) };
}

beHelper(
  () => most,
  (bytes) =>
    tell({
      kind: 'failed',
      code: 'run/failed',
      message: `explanations: expected at most ${Math.round(bytes / 2 ** 20)} MiB of memory, got more`,
    }),
);
process.on('message', (message: ToExplainer) => {
  answer(message).then(tell, (thrown) => {
    const { code, message: text } = asGlacisError(thrown, 'run/failed', 'explanations');
    tell({ kind: 'failed', code, message: text });
  });
});
