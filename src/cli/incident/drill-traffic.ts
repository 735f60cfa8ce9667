import { planAttack } from '../../attack/registry.ts';
import { silent } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../../data/traffic-signs/render.ts';
import { decodeInferResponse, encodeInferRequest, floatsOf } from '../../oip/index.ts';
import { classificationGoal } from '../../threat/goal.ts';
import { imageDimsOf } from '../../threat/image-dims.ts';

/** What the model said about one picture; undefined where nothing was answered. */
export type Answered = { readonly scores: Float32Array } | undefined;

/** Asks about one picture. */
export type AskOne = (picture: Float32Array) => Promise<Answered>;

/** Asks the model `signs` at an address, as anybody would. */
export function asker(rest: string, key: string, signal: AbortSignal): AskOne {
  return async (data) => {
    const { body, headers } = encodeInferRequest(
      { inputs: [{ name: 'input', datatype: 'FP32', shape: [1, ...SIGN_SHAPE], data }], binaryOutput: true },
      { binary: true },
    );
    const answer = await fetch(`${rest}/v2/models/signs/infer`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${key}` },
      body,
      signal,
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) return undefined;
    const jsonLength = answer.headers.get('inference-header-content-length');
    const { outputs } = decodeInferResponse({ body: bytes, jsonLength }, 'gateway');
    return { scores: floatsOf(outputs[0]!) };
  };
}

/** A picture that nobody has asked about, in [0, 1], and its class. */
export function picture(seed: number, index: number): { readonly x: Float32Array; readonly label: number } {
  const { x, y } = renderSplit({ seed, split: 'test', n: 1, start: index });
  return { x: Float32Array.from(x, (value) => value / 255), label: y[0]! };
}

/** Each asks about pictures of their own, all at once, so many questions in all. Gives how many were answered. */
export async function calmTraffic(
  asks: readonly AskOne[],
  {
    from,
    questions,
    seed,
    asked,
  }: {
    /** The first picture. */
    readonly from: number;
    readonly questions: number;
    readonly seed: number;
    readonly asked: (done: number) => void;
  },
): Promise<number> {
  let [next, answered] = [from, 0];
  await Promise.all(
    asks.map(async (ask) => {
      for (let i = next++; i < from + questions; i = next++) {
        if ((await ask(picture(seed, i).x)) !== undefined) answered++;
        asked(answered);
      }
    }),
  );
  return answered;
}

class Enough extends Error {}

/** Square (Andriushchenko et al. 2020) on one picture: questions alone, until `isOver` says so, nothing is answered any more, or `most` are asked. Gives how many were asked. */
export async function attack(
  ask: AskOne,
  {
    seed,
    eps,
    most,
    isOver,
    signal,
  }: {
    readonly seed: number;
    readonly eps: number;
    readonly most: number;
    readonly isOver: () => boolean;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { x, label } = picture(seed, 0);
  const classes = SIGN_CLASSES.length;
  const { attack: square, options } = planAttack({ name: 'square', options: { queries: most } });
  let asked = 0;
  try {
    await square.run({
      target: undefined,
      oracle: {
        sampleDims: SIGN_SHAPE,
        classes,
        batch: 1,
        parallel: 1,
        close: async () => {},
        async ask(points) {
          if (isOver()) throw new Enough();
          const answer = await ask(points.slice(0, x.length));
          asked++;
          if (answer === undefined) throw new Enough();
          return answer.scores;
        },
      },
      queries: { forward: 0, gradient: 0 },
      goal: classificationGoal(Int32Array.of(label), classes),
      ball: { norm: 'linf', eps, bounds: [0, 1] },
      image: imageDimsOf(SIGN_SHAPE),
      x0: x,
      x: x.slice(),
      parameters: new Float32Array(0),
      todo: [0],
      options,
      batch: 1,
      rng: (_sample, ...keys) => randomFrom(seed, square.id, ...keys),
      signal,
      progress: silent,
    });
  } catch (thrown) {
    if (!(thrown instanceof Enough)) throw thrown;
  }
  return asked;
}
