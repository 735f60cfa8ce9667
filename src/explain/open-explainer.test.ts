import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import { serializeModel } from '../onnx/write.ts';
import { startEngine } from '../runtime/engine.ts';
import { openTarget } from '../runtime/target.ts';
import { hiddenModel } from '../threat/small-model.fixture.ts';
import { type AttributionMethod, attributionsOf, shownAttribution } from './attributions.ts';
import { openExplained } from './open-explained.ts';
import { type Explainer, openExplainer } from './open-explainer.ts';
import { outputGradients } from './output-gradients.ts';

const NETWORK = hiddenModel(5, 8, 3);
const OPEN = { bytes: serializeModel(NETWORK), input: 'x', output: 'z', sampleDims: [5] };
const LIMITS = { memory: 4 * 2 ** 30, timeout: 1000, queue: 2 };
const NEVER = new AbortController().signal;
const X = Float32Array.of(0.3, -1, 0.7, 0.1, 2, -0.5, 0.2, 0.9, -2, 1);

const children: ChildProcess[] = [];
/** What should be called when it gets too late; tests call it themselves. */
let late: (() => void) | undefined;
let explainer: Explainer;
beforeAll(async () => {
  explainer = await openExplainer(OPEN, {
    ...LIMITS,
    after: (_, call) => {
      late = call;
      return () => {
        late = undefined;
      };
    },
    started: (child) => void children.push(child),
  });
}, 120_000);
afterAll(() => explainer.close());

const ask = (method: AttributionMethod = 'saliency', signal = NEVER) =>
  explainer.explain({ x: X, outputs: [2, 0], method, baseline: 0, decimals: 3 }, signal);

describe('a process that explains', () => {
  it('says what the engine says of the same network, for the output that is asked about, sample by sample', async () => {
    const engine = startEngine({ threads: 1 });
    const gradients = outputGradients(openTarget(engine, NETWORK));
    for (const method of ['saliency', 'gradient-input', 'integrated'] as const) {
      const expected = [2, 0].map((output, row) =>
        attributionsOf(gradients, X.subarray(5 * row, 5 * row + 5), output, { method, baseline: 0 }),
      );
      const own = (await Promise.all(expected)).flatMap((each) => [...shownAttribution(each, 3)]);
      expect([...(await ask(method))]).toEqual(own);
    }
    await engine.close();
  });

  it('is started again where it has died, and where it took too long', async () => {
    const before = children.length;
    const gone = once(children.at(-1)!, 'exit');
    children.at(-1)!.kill('SIGKILL');
    await gone;
    const sound = await ask();
    expect(children).toHaveLength(before + 1);
    // A process that stands still answers nothing; then it is too late.
    children.at(-1)!.kill('SIGSTOP');
    const asked = ask();
    await expect.poll(() => late !== undefined, { timeout: 60_000 }).toBe(true);
    late!();
    await expect(asked).rejects.toMatchObject({ code: 'run/cancelled' });
    expect(await ask()).toEqual(sound);
    expect(children).toHaveLength(before + 2);
  });

  it('lets so many wait and no more, and begins nothing for who has gone', async () => {
    const gone = new AbortController();
    const [first, second] = [ask(), ask('saliency', gone.signal)];
    gone.abort();
    await expect(ask()).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(second).rejects.toMatchObject({ code: 'run/cancelled' });
    expect(await first).toHaveLength(10);
    expect(await ask()).toHaveLength(10);
  });

  it('does not open what has no gradient', async () => {
    const hard = model(
      graph({
        inputs: [value('x', ['N', 3])],
        outputs: [value('z', ['N', 2])],
        nodes: [node('NonZero', ['x'], ['i']), node('Cast', ['i'], ['z'], { to: { kind: 'int', value: 1 } })],
      }),
    );
    const engine = startEngine({ threads: 1 });
    const opening = openExplained(engine, { ...OPEN, bytes: serializeModel(hard), sampleDims: [3] });
    await expect(opening).rejects.toMatchObject({ name: 'GlacisError' });
    await engine.close();
  });
});
