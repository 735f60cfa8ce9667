import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { planAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import { type Progress, silent } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import { readServe } from '../gateway/config/read-serve.ts';
import { openGateway, type RunningGateway } from '../gateway/open-gateway.ts';
import { parseTrustFile } from '../gateway/record/log-folder.ts';
import { checkReceipt } from '../gateway/record/receipt.ts';
import { decodeInferResponse, encodeInferRequest, floatsOf } from '../oip/index.ts';
import { keySigner } from '../supply/sign/key-method.ts';
import { signModel } from '../supply/sign/sign-model.ts';
import { classificationGoal } from '../threat/goal.ts';
import { imageDimsOf } from '../threat/image-dims.ts';
import { prepareFolder, writeText } from './output.ts';

/** What the demo of serving needs. */
export interface ServingDemo {
  readonly model: string;
  /** Thresholds of guards for that model. */
  readonly calibration: string;
  /** Where its files go. */
  readonly folder: string;
  /** A picture, its shape and its class. */
  readonly picture: Float32Array;
  readonly shape: readonly number[];
  readonly label: number;
  readonly classNames: readonly string[];
  readonly eps: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** What happened: for people, and for tests. */
export interface ServedDemo {
  readonly digest: string;
  readonly signer: string;
  readonly curl: string;
  /** What the honest question was answered. */
  readonly answered: { readonly className: string; readonly score: number };
  /** Requests of the attack that were answered before one was refused; undefined where none was. */
  readonly refusedAfter: number | undefined;
  readonly receipt: { readonly file: string; readonly index: number; readonly size: number };
  readonly logFolder: string;
}

/** Queries after which the attack gives up. */
const MOST_QUERIES = 2000;

/**
 * Signs the model, serves it only because it is signed, asks an honest question, attacks it over the network with questions alone until the gateway refuses, and
 * checks the receipt of the first answer without the server. Everything runs on this machine, over loopback.
 */
export async function serveDemo(demo: ServingDemo): Promise<ServedDemo> {
  const { folder, classNames } = demo;
  await prepareFolder(folder);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trust = join(folder, 'signer.pub');
  const signature = join(folder, `${basename(demo.model)}.sig`);
  await writeText(trust, publicKey.export({ type: 'spki', format: 'pem' }) as string);
  const signer = keySigner(privateKey);
  const signed = await signModel(demo.model, signer, { signal: demo.signal });
  await writeText(signature, signed.bundle);
  const check = { signature: { bundle: resolve(signature), trust: [resolve(trust)] } };
  const serve = {
    listen: { port: 0 },
    management: { port: 0 },
    models: { signs: { file: resolve(demo.model), check } },
    guards: { calibration: resolve(demo.calibration), 'near-duplicates': { falsePositiveRate: 0.01 } },
  };
  const { config } = readServe(JSON.stringify({ serve }), 'demo');
  const gateway = await openGateway({
    config,
    dataFolder: join(folder, 'gateway'),
    folder: process.cwd(),
    env: process.env,
    home: homedir(),
  });
  try {
    const [notLoaded] = gateway.notLoaded;
    if (notLoaded) throw new GlacisError('run/failed', `demo: ${notLoaded.because}`);
    const key = await keyFor(gateway, 'visitor');
    const ask = asker(gateway, key, demo);
    const request = join(folder, 'request.json');
    await writeText(request, new TextDecoder().decode(requestOf(demo.picture, 1, demo.shape, false).body));
    const first = await ask(demo.picture, 1, { 'glacis-receipt': '1' });
    if (first.scores === undefined) throw new GlacisError('run/failed', `demo: ${first.said}`);
    const label = first.scores.indexOf(Math.max(...first.scores));
    const refusedAfter = await attackUntilRefused(
      demo,
      asker(gateway, await keyFor(gateway, 'mallory'), demo),
    );
    const receipt = await keepReceipt(first.receipt, gateway, join(folder, 'receipt.txt'));
    return {
      digest: signed.digest,
      signer: signer.who,
      curl: `curl -s ${gateway.addresses.rest}/v2/models/signs/infer -H "Authorization: Bearer $KEY" -d @${request}`,
      answered: { className: classNames[label] ?? String(label), score: first.scores[label]! },
      refusedAfter,
      receipt,
      logFolder: join(folder, 'gateway', 'record'),
    };
  } finally {
    await gateway.drain();
  }
}

async function keyFor({ keys }: RunningGateway, principal: string): Promise<string> {
  const scope = { models: ['signs'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' } as const;
  const made = await keys.create({ principal, tenant: 'demo', scope }, { id: 'demo', mayGrant: false });
  return made.text;
}

interface Asked {
  readonly scores: Float32Array | undefined;
  /** The message of a refusal. */
  readonly said: string;
  readonly receipt: string | undefined;
}

type Ask = (points: Float32Array, n: number, headers?: Readonly<Record<string, string>>) => Promise<Asked>;

/** Asks over the network, as anybody would. */
function asker({ addresses }: RunningGateway, key: string, { shape, signal }: ServingDemo): Ask {
  return async (points, n, extra = {}) => {
    const { body, headers } = requestOf(points, n, shape, true);
    const answer = await fetch(`${addresses.rest}/v2/models/signs/infer`, {
      method: 'POST',
      headers: { ...headers, ...extra, authorization: `Bearer ${key}` },
      body,
      signal,
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) return { scores: undefined, said: new TextDecoder().decode(bytes), receipt: undefined };
    const jsonLength = answer.headers.get('inference-header-content-length');
    const { outputs, parameters } = decodeInferResponse({ body: bytes, jsonLength }, 'gateway');
    const receipt = parameters?.['glacis-receipt'];
    return {
      scores: floatsOf(outputs[0]!),
      said: '',
      receipt: typeof receipt === 'string' ? receipt : undefined,
    };
  };
}

function requestOf(points: Float32Array, n: number, shape: readonly number[], binary: boolean) {
  const size = shape.reduce((product, d) => product * d, 1);
  const data = points.slice(0, n * size);
  return encodeInferRequest(
    { inputs: [{ name: 'input', datatype: 'FP32', shape: [n, ...shape], data }], binaryOutput: binary },
    { binary },
  );
}

class Caught extends Error {}

/** Square, an attack that needs nothing but answers, one question at a time. Gives how many were answered before one was not. */
async function attackUntilRefused(demo: ServingDemo, ask: Ask): Promise<number | undefined> {
  const { picture, shape, label, eps, seed, signal, classNames, progress = silent } = demo;
  const { attack, options } = planAttack({ name: 'square', options: { queries: MOST_QUERIES } });
  const classes = classNames.length;
  let answered = 0;
  try {
    await attack.run({
      target: undefined,
      oracle: {
        sampleDims: shape,
        classes,
        batch: 1,
        parallel: 1,
        close: async () => {},
        async ask(points, n) {
          const { scores } = await ask(points, n);
          if (scores === undefined) throw new Caught();
          answered += n;
          progress({ label: 'attacking the gateway', done: answered, total: MOST_QUERIES });
          return scores;
        },
      },
      queries: { forward: 0, gradient: 0 },
      goal: classificationGoal(Int32Array.of(label), classes),
      ball: { norm: 'linf', eps, bounds: [0, 1] },
      image: imageDimsOf(shape),
      x0: picture,
      x: picture.slice(),
      parameters: new Float32Array(0),
      todo: [0],
      options,
      batch: 1,
      rng: (_sample, ...keys) => randomFrom(seed, attack.id, ...keys),
      signal,
      progress: silent,
    });
  } catch (thrown) {
    if (thrown instanceof Caught) return answered;
    throw thrown;
  }
  return undefined;
}

/** Keeps a receipt and checks it with the log's public keys alone. */
async function keepReceipt(
  receipt: string | undefined,
  gateway: RunningGateway,
  file: string,
): Promise<ServedDemo['receipt']> {
  if (receipt === undefined) throw new GlacisError('run/failed', 'demo: expected a receipt, got none');
  await writeText(file, receipt);
  const trust = parseTrustFile(await readFile(gateway.trustFile), gateway.trustFile);
  const { index, checkpoint } = checkReceipt(receipt, trust, file);
  return { file, index, size: checkpoint.size };
}
