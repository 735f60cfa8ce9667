/**
 * `npm run example:build [FOLDER]`: renders the traffic signs, trains the example's model and writes it with its figures to
 * examples/traffic-signs, or to FOLDER. A few minutes on two cores; Ctrl-C stops between two steps.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SIGN_CLASSES } from '../src/data/traffic-signs/render.ts';
import { serializeModel } from '../src/onnx/write.ts';
import { startEngine } from '../src/runtime/engine.ts';
import { EXAMPLE_PLAN, makeExample } from './example-model.ts';

/** Fixed, because sums in another number of threads round differently. */
const THREADS = 2;

const folder = process.argv[2] ?? fileURLToPath(new URL('../examples/traffic-signs', import.meta.url));
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const engine = startEngine({ threads: THREADS });
const began = performance.now();
let shown = 0;
const { model, epochs, testAccuracy } = await makeExample(
  engine,
  EXAMPLE_PLAN,
  ({ label, done, total, note }) => {
    const now = performance.now();
    if (now - shown < 5000 && done < (total ?? 0)) return;
    shown = now;
    process.stderr.write(
      `${((now - began) / 1000).toFixed(0)} s  ${label}: ${done} of ${total ?? '?'}${note ? `, ${note}` : ''}\n`,
    );
  },
  stop.signal,
);
await engine.close();
const bytes = serializeModel(model);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'traffic-signs.onnx'), bytes);
const runtime = JSON.parse(
  readFileSync(new URL('../node_modules/onnxruntime-node/package.json', import.meta.url), 'utf8'),
) as { readonly version: string };
const card = {
  name: 'traffic-signs',
  file: 'traffic-signs.onnx',
  digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  bytes: bytes.length,
  input: { name: 'input', shape: ['batch', 3, 32, 32], range: [0, 1] },
  output: { name: 'logits', shape: ['batch', SIGN_CLASSES.length] },
  classes: SIGN_CLASSES,
  ...EXAMPLE_PLAN,
  testAccuracy,
  history: epochs.map(({ loss, accuracy, validation }) => ({
    loss: round(loss),
    accuracy: round(accuracy ?? Number.NaN),
    validation: round(validation?.accuracy ?? Number.NaN),
  })),
  builtWith: { onnxruntime: runtime.version, threads: THREADS },
};
writeFileSync(join(folder, 'traffic-signs.json'), `${JSON.stringify(card, null, 2)}\n`);
process.stdout.write(
  `${folder}: ${bytes.length} bytes, right on ${(100 * testAccuracy).toFixed(2)} % of ${EXAMPLE_PLAN.testSamples} test samples, ${((performance.now() - began) / 1000).toFixed(0)} s\n`,
);

function round(value: number): number {
  return Number(value.toFixed(4));
}
