import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { type Progress, silent } from '../core/progress.ts';
import { readServe } from '../gateway/config/read-serve.ts';
import { openGateway, type RunningGateway } from '../gateway/open-gateway.ts';
import { parseTrustFile } from '../gateway/record/log-folder.ts';
import { checkReceipt } from '../gateway/record/receipt.ts';
import { keySigner } from '../supply/sign/key-method.ts';
import { signModel } from '../supply/sign/sign-model.ts';
import { openLab } from './lab/open-lab.ts';
import { prepareFolder, writeText } from './output.ts';
import { askSigns, requestOf } from './signs/ask.ts';
import { attackBySquare } from './signs/square.ts';

/** What the demo of serving needs. */
export interface ServingDemo {
  readonly model: string;
  /** The network that gives the second opinion. */
  readonly second: string;
  /** Thresholds of guards for that model. */
  readonly calibration: string;
  /** What its monitors take for calm. */
  readonly monitors: string;
  /** Where its files go. */
  readonly folder: string;
  /** Pictures as an archive, and a folder with results of assessments: the console shows both. */
  readonly pictures: string;
  readonly assessments: string;
  /** A picture and its class. */
  readonly picture: Float32Array;
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

/** A gateway that serves the demo's model. */
export interface DemoGateway {
  readonly gateway: RunningGateway;
  readonly digest: string;
  readonly signer: string;
}

/** Samples of the decisions that the second network looks at. */
const CHECKED = 0.25;

/** Questions after which an attacker gives up. */
export const MOST_QUERIES = 2000;
/** Times that an honest question is asked again. */
const PATIENCE = 8;

/** Signs the model and serves it only because it is signed, on this machine alone. The caller drains the gateway. */
export async function openDemoGateway(demo: ServingDemo): Promise<DemoGateway> {
  const { folder } = demo;
  await prepareFolder(folder);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trust = join(folder, 'signer.pub');
  const signature = join(folder, `${basename(demo.model)}.sig`);
  await writeText(trust, publicKey.export({ type: 'spki', format: 'pem' }) as string);
  const signer = keySigner(privateKey);
  const signed = await signModel(demo.model, signer, { signal: demo.signal });
  await writeText(signature, signed.bundle);
  const check = { signature: { bundle: resolve(signature), trust: [resolve(trust)] } };
  const about = { inputs: resolve(demo.pictures), classNames: demo.classNames };
  const serve = {
    listen: { port: 0 },
    management: { port: 0 },
    models: {
      signs: { file: resolve(demo.model), check },
      'second-opinion': { file: resolve(demo.second), check: { asGiven: true } },
    },
    log: { who: 'clear' },
    budgets: { limits: [{ per: 'principal', queries: 5000 }] },
    only: {
      signs: {
        guards: { calibration: resolve(demo.calibration), 'near-duplicates': { falsePositiveRate: 0.01 } },
        verify: { model: 'second-opinion', share: CHECKED, action: 'hold' },
      },
    },
    monitors: { measured: resolve(demo.monitors) },
    console: {
      demo: true,
      assessments: resolve(demo.assessments),
      lab: { models: { signs: about, 'second-opinion': about } },
    },
  };
  const { config } = readServe(JSON.stringify({ serve }), 'demo');
  const gateway = await openGateway({
    config,
    dataFolder: join(folder, 'gateway'),
    folder: process.cwd(),
    env: process.env,
    home: homedir(),
    lab: openLab(config.console.lab, { placeOf: resolve }),
  });
  const [notLoaded] = gateway.notLoaded;
  if (notLoaded === undefined) return { gateway, digest: signed.digest, signer: signer.who };
  await gateway.drain();
  throw new GlacisError('run/failed', `demo: ${notLoaded.because}`);
}

/**
 * Asks an honest question, attacks the model over the network with questions alone until the gateway refuses, and checks the receipt of the first answer without the server.
 * Everything runs on this machine, over loopback.
 */
export async function serveDemo(
  { gateway, digest, signer }: DemoGateway,
  demo: ServingDemo,
): Promise<ServedDemo> {
  const { folder, classNames, signal, progress = silent } = demo;
  const { rest } = gateway.addresses;
  const ask = askSigns(rest, await demoKey(gateway, 'visitor'), signal);
  const request = join(folder, 'request.json');
  await writeText(request, new TextDecoder().decode(requestOf(demo.picture, 1, false).body));
  const once = () => ask(demo.picture, 1, { 'glacis-receipt': '1' });
  let first = await once();
  // The second network may see another sign in it: then the answer waits for a person, where this question was drawn for that.
  for (let more = 0; more < PATIENCE && first.scores === undefined; more++) first = await once();
  if (first.scores === undefined) throw new GlacisError('run/failed', `demo: ${first.said}`);
  const label = first.scores.indexOf(Math.max(...first.scores));
  const asked = (done: number) => progress({ label: 'attacking the gateway', done, total: MOST_QUERIES });
  const mallory = askSigns(rest, await demoKey(gateway, 'mallory'), signal);
  const { answered, refused } = await attackBySquare({ ...demo, most: MOST_QUERIES, asked }, mallory);
  const receipt = await keepReceipt(first.receipt, gateway, join(folder, 'receipt.txt'));
  return {
    ...{ digest, signer, receipt },
    refusedAfter: refused ? answered : undefined,
    curl: `curl -s ${gateway.addresses.rest}/v2/models/signs/infer -H "Authorization: Bearer $KEY" -d @${request}`,
    answered: { className: classNames[label] ?? String(label), score: first.scores[label]! },
    logFolder: join(folder, 'gateway', 'record'),
  };
}

/** A key for somebody who asks the demo's model. */
export async function demoKey({ keys }: RunningGateway, principal: string): Promise<string> {
  const scope = { models: ['signs'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' } as const;
  const made = await keys.create({ principal, tenant: 'demo', scope }, { id: 'demo', mayGrant: false });
  return made.text;
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

/** A link that opens the console of the demo, once. Errors: `run/failed`. */
export async function consoleLink({ gateway }: DemoGateway): Promise<string> {
  const { text } = await gateway.keys.create(
    {
      principal: 'you',
      tenant: 'demo',
      roles: ['admin'],
      scope: { models: ['*'], operations: [], detail: 'label' },
    },
    { id: 'demo', mayGrant: true },
  );
  const answer = await fetch(`${gateway.addresses.management}/api/session/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${text}` },
  });
  if (answer.status !== 201)
    throw new GlacisError('run/failed', `demo: expected a link, got status ${answer.status}`);
  return ((await answer.json()) as { readonly url: string }).url;
}
