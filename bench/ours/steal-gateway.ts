import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { normalised } from '../../src/attack/extraction/extract.ts';
import { shuffled } from '../../src/attack/shuffled.ts';
import { GlacisError } from '../../src/core/error.ts';
import { randomFrom } from '../../src/core/random.ts';
import { readServe } from '../../src/gateway/config/read-serve.ts';
import { openGateway } from '../../src/gateway/open-gateway.ts';
import {
  decodeInferResponse,
  encodeInferRequest,
  floatsOf,
  JSON_LENGTH_HEADER,
} from '../../src/oip/index.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { modelPath } from '../places.ts';
import { passlessCalibration } from '../suites/load-guards.ts';
import { networkNamed } from '../suites/request-bodies.ts';
import { line } from './lines.ts';
import { DIGIT } from './stateful/pictures.ts';
import { type Judged, MOST, openJudge, type Pool, poolsOf } from './stateful/theft.ts';
import { openVictim } from './stateful/victim.ts';

const { values } = parseArgs({
  options: { known: { type: 'string', default: '[]' }, threads: { type: 'string', default: '1' } },
  strict: true,
});
const known = new Set(JSON.parse(values.known) as readonly string[]);

/** Queries tried at which a copy is made of what was answered until then. */
const TRIED = [1000, 10_000, 30_000, 60_000] as const;

/** Samples of a request. */
const BATCH = 20;

const network = networkNamed('mnist-cnn');
const file = modelPath(network.name);
const calibration = await passlessCalibration(network);
const model = { m: { file, check: { asGiven: true } } };
/** A patient thief stays below every rate; here he asks as fast as he is answered. */
const rates = { limits: [{ per: 'principal', requests: 1e9, every: 'second' }] };
const without = { models: model, rates };

/** What stands against the thief. */
const GATEWAYS: Readonly<Record<string, object>> = {
  off: {
    ...without,
    guards: { input: 'off' },
    budgets: { limits: [{ per: 'principal', queries: 1e12 }] },
    incidents: { respond: { mode: 'off' } },
  },
  default: { ...without, guards: { calibration } },
  'told to refuse': {
    ...without,
    guards: {
      calibration,
      ...Object.fromEntries(
        ['near-duplicates', 'similar-queries', 'query-shift'].map((guard) => [guard, { action: 'refuse' }]),
      ),
    },
  },
};

/** How much an answer told: all, scores of two decimals, the likeliest class with its score, or the label alone. */
const KINDS = ['full', 'rounded', 'top1', 'label'] as const;
type Counts = Record<(typeof KINDS)[number] | 'refused', number>;

/** What a thief has by a number of tries. */
interface Haul {
  readonly x: Float32Array;
  readonly y: Float32Array;
  n: number;
  readonly counts: Counts;
}

/** Asks for all of `x` in turn, tells `reached` at {@link TRIED}, and goes on when he is refused. */
async function rob(
  serve: object,
  x: Float32Array,
  reached: (tried: number, haul: Haul) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-steal-'));
  const own = { listen: { port: 0 }, management: { port: 0 }, ...serve };
  const { config } = readServe(JSON.stringify({ serve: own }), 'bench');
  const around = { folder, env: process.env, home: homedir() };
  const gateway = await openGateway({ config, dataFolder: join(folder, 'data'), ...around });
  try {
    if (gateway.notLoaded.length > 0) throw new GlacisError('run/failed', gateway.notLoaded[0]!.because);
    const scope = { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' } as const;
    const { text } = await gateway.keys.create(
      { principal: 'thief', tenant: 'thieves', roles: ['admin'], scope },
      { id: 'bench', mayGrant: true },
    );
    const haul: Haul = {
      x: new Float32Array(MOST * DIGIT),
      y: new Float32Array(MOST * 10),
      n: 0,
      counts: { full: 0, rounded: 0, top1: 0, label: 0, refused: 0 },
    };
    for (let tried = 0; tried < MOST; ) {
      const points = x.subarray(tried * DIGIT, (tried + BATCH) * DIGIT);
      const scores = await ask(gateway.addresses.rest, text, points);
      tried += BATCH;
      if (scores === undefined) haul.counts.refused += BATCH;
      else {
        haul.counts[kindOf(scores)] += BATCH;
        haul.x.set(points, haul.n * DIGIT);
        haul.y.set(normalised(scores, 10), haul.n * 10);
        haul.n += BATCH;
      }
      if (TRIED.some((each) => each === tried)) await reached(tried, haul);
    }
  } finally {
    await gateway.drain();
    rmSync(folder, { recursive: true });
  }
}

/** Scores of {@link BATCH} samples, or undefined where the gateway refuses. */
async function ask(rest: string, key: string, data: Float32Array): Promise<Float32Array | undefined> {
  const shape = [BATCH, 1, 28, 28];
  const { body, headers } = encodeInferRequest(
    { inputs: [{ name: network.input, datatype: 'FP32', shape, data }], binaryOutput: true },
    { binary: true },
  );
  const send = async () => {
    const answer = await fetch(`${rest}/v2/models/m/infer`, {
      method: 'POST',
      headers: { ...headers, Authorization: `Bearer ${key}` },
      body,
    });
    return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) };
  };
  // Where the machine stood still for long, the server has closed what was idle: the request is sent once more.
  const { answer, bytes } = await send().catch(send);
  if (!answer.ok) {
    // Whatever is no decision about the thief ends the measurement.
    if (![400, 403, 422, 429].includes(answer.status))
      throw new GlacisError('run/failed', `gateway: expected an answer or a refusal, got ${answer.status}`);
    return undefined;
  }
  const response = decodeInferResponse(
    { body: bytes, jsonLength: answer.headers.get(JSON_LENGTH_HEADER) },
    rest,
  );
  return floatsOf(response.outputs[0]!);
}

/** What the answer to a request tells; of a sure sample alone nobody could say, because its score is 1 in any of them. */
function kindOf(scores: Float32Array): (typeof KINDS)[number] {
  const told = scores.filter((score) => score > 0);
  if (told.length === BATCH) return told.every((score) => score === 1) ? 'label' : 'top1';
  return told.every((score) => Math.abs(100 * score - Math.round(100 * score)) < 1e-4) ? 'rounded' : 'full';
}

const engine = startEngine({ threads: Number(values.threads) });
const victim = await openVictim(engine, file);
const poolOf = poolsOf();
const { judge, victim: itself } = await openJudge(engine, victim);
line('victim', itself);
for (const [guards, serve] of Object.entries(GATEWAYS))
  for (const pool of ['digits', 'natural'] as const satisfies readonly Pool[]) {
    if (TRIED.every((tried) => known.has(`${pool}, ${guards}, ${tried}`))) continue;
    const all = poolOf(pool);
    const order = shuffled(MOST, randomFrom(20_261_121, 'steal', pool));
    const x = new Float32Array(MOST * DIGIT);
    for (const [i, from] of order.entries()) x.set(all.subarray(from * DIGIT, (from + 1) * DIGIT), i * DIGIT);
    let last: { readonly n: number; readonly judged: Judged | undefined } | undefined;
    await rob(serve, x, async (tried, { x: asked, y, n, counts }) => {
      const got = { x: asked.subarray(0, n * DIGIT), y: y.subarray(0, n * 10), n };
      // Where nothing was answered since, the copy is the same.
      if (last?.n !== n) last = { n, judged: n === 0 ? undefined : await judge(got, n) };
      line('copy', {
        id: `${pool}, ${guards}, ${tried}`,
        pool,
        guards,
        tried,
        answered: n,
        ...counts,
        ...last.judged,
      });
    });
  }
await victim.close();
await engine.close();
