import { setTimeout as sleep } from 'node:timers/promises';
import { type Rng, randomFrom } from '../../core/random.ts';
import { renderSplit, SIGN_SHAPE } from '../../data/traffic-signs/render.ts';
import type { RunningGateway } from '../../gateway/open-gateway.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { demoKey, MOST_QUERIES, type ServingDemo } from '../demo-serving.ts';
import { type Ask, askSigns } from '../signs/ask.ts';
import { attackBySquare } from '../signs/square.ts';
import { BETWEEN, HONEST } from './honest.ts';

/** Milliseconds after the start at which the attackers begin: somebody has opened the console by then. */
const PROBE_AT = 20_000;
const THEFT_AT = 45_000;
/** Pictures in a thief's question, and questions after which it has what it wanted or gives up. */
const THEFT_BATCH = 16;
const THEFT_MOST = 250;
const SIZE = elementCount(SIGN_SHAPE);
/** Refusals in a row after which an attacker goes home. */
const GIVES_UP = 6;

/** What the live demonstration tells whoever watches the terminal. */
export type Say = (line: string) => void;

/**
 * Traffic that goes on until the signal fires: twelve honest clients, and two attackers by a script. One probes a single picture with Square; one asks about made-up pictures, to copy the
 * model. Nobody tells the gateway who they are.
 */
export async function liveTraffic(
  gateway: RunningGateway,
  demo: ServingDemo,
  { say, signal }: { readonly say: Say; readonly signal: AbortSignal },
): Promise<void> {
  const asks = async (name: string): Promise<Ask> =>
    askSigns(gateway.addresses.rest, await demoKey(gateway, name), signal);
  const honest = HONEST.map(async (name, i) => askHonestly(await asks(name), { demo, index: i, signal }));
  const probe = async (): Promise<void> => {
    await sleep(PROBE_AT, undefined, { signal });
    say('prober begins: Square on one picture, one question after the other.');
    const { answered, refused } = await attackBySquare(
      { ...demo, seed: demo.seed + 1, most: MOST_QUERIES, signal },
      await asks('prober'),
    );
    say(refused ? `prober was refused after ${answered} questions.` : 'prober was never refused.');
  };
  const steal = async (): Promise<void> => {
    await sleep(THEFT_AT, undefined, { signal });
    say('collector begins: questions about made-up pictures, many at once, to copy the model.');
    const asked = await steals(await asks('collector'), { demo, signal });
    say(`collector went home after ${asked.toLocaleString('en')} pictures.`);
  };
  const all = [...honest, probe(), steal()];
  try {
    await Promise.all(all);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    await Promise.allSettled(all);
  }
}

interface Traffic {
  readonly demo: ServingDemo;
  readonly signal: AbortSignal;
}

/** One picture after the other, at times that nobody could foresee. A refusal changes nothing: honest people ask on. */
async function askHonestly(
  ask: Ask,
  { demo, index, signal }: Traffic & { readonly index: number },
): Promise<void> {
  const rng = randomFrom(demo.seed, 'honest', index);
  for (let i = 0; ; i++) {
    await sleep(-BETWEEN * Math.log(1 - rng.uniform()), undefined, { signal });
    const { x } = renderSplit({ seed: demo.seed + 100 + index, split: 'test', n: 1, start: i });
    await ask(
      Float32Array.from(x, (value) => value / 255),
      1,
    );
  }
}

/** Pictures of nothing, as fast as the gateway answers: who has no pictures of the domain asks about others. Gives how many were asked about. */
async function steals(ask: Ask, { demo, signal }: Traffic): Promise<number> {
  const rng = randomFrom(demo.seed, 'thief');
  let asked = 0;
  let refused = 0;
  for (let i = 0; i < THEFT_MOST && refused < GIVES_UP; i++) {
    const points = Float32Array.from({ length: THEFT_BATCH * SIZE }, () => 0);
    for (let row = 0; row < THEFT_BATCH; row++) blur(points.subarray(row * SIZE, (row + 1) * SIZE), rng);
    const { scores } = await ask(points, THEFT_BATCH);
    refused = scores === undefined ? refused + 1 : 0;
    asked += THEFT_BATCH;
    await sleep(50, undefined, { signal });
  }
  return asked;
}

/** Three waves of random direction, length and strength for each colour. */
function blur(picture: Float32Array, rng: Rng): void {
  const [channels, height, width] = SIGN_SHAPE;
  for (let c = 0; c < channels; c++)
    for (let wave = 0; wave < 3; wave++) {
      const [along, down, phase] = [rng.uniform() - 0.5, rng.uniform() - 0.5, 2 * Math.PI * rng.uniform()];
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          picture[(c * height + y) * width + x]! += (1 + Math.sin(along * x + down * y + phase)) / 6;
    }
}
