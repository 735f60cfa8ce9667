import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundledExample } from '../../src/cli/bundled-example.ts';
import { readServe } from '../../src/gateway/config/read-serve.ts';
import { openGateway, type RunningGateway } from '../../src/gateway/open-gateway.ts';
import { questions } from './console/ask.ts';
import { fillIndex, fillLog } from './console/fill-log.ts';
import { fillStore } from './console/fill-store.ts';
import { paintPages } from './console/paint.ts';
import { done, environment, line } from './lines.ts';

// `node bench/ours/console.ts FOLDER N`: makes a data folder with N decisions of 100,000 clients behind it, where it is not there yet, times every question that the console's pages ask, and opens
// every page in Chromium.
// `--until log` and `--until made` end when that is there: each step is made once.

const REPEATS = 20;
/** Visits of each page after the first. */
const VISITS = 5;
const [folder = '', count = '', , until = 'asked'] = process.argv.slice(2);
const n = Number(count);
const data = join(folder, `data-${n}`);
const logged = join(data, 'logged');
const made = join(data, 'made');

async function open(): Promise<{ readonly gateway: RunningGateway; readonly key: string }> {
  const { model } = await bundledExample();
  const check = { asGiven: true };
  const serve = {
    ...{ listen: { port: 0 }, management: { port: 0 } },
    models: { signs: { file: resolve(model), check }, digits: { file: resolve(model), check } },
    budgets: { limits: [{ per: 'principal', queries: 5000 }] },
    incidents: { respond: { mode: 'off' } },
    log: { publishEvery: '1 second' },
  };
  const { config } = readServe(JSON.stringify({ serve }));
  const gateway = await openGateway({
    ...{ config, dataFolder: data, folder: process.cwd(), env: {}, home: folder },
  });
  const { text } = await gateway.keys.create(
    {
      ...{ principal: 'bench', tenant: 'bench', roles: ['admin'] },
      scope: { models: ['*'], operations: ['infer'], detail: 'label' },
    },
    { id: 'bench', mayGrant: true },
  );
  return { gateway, key: text };
}

async function asks(
  { gateway, key }: Awaited<ReturnType<typeof open>>,
  path: string,
  init: RequestInit = {},
): Promise<{ readonly status: number; readonly bytes: number }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await fetch(`${gateway.addresses.management}${path}`, { headers, ...init });
  const { byteLength } = await answer.arrayBuffer();
  return { status: answer.status, bytes: byteLength };
}

async function makeLog(): Promise<void> {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true });
  const first = await open();
  // One of each, to be copied.
  const body = JSON.stringify({
    ...{ title: 'mallory is copying signs', why: 'w', kind: 'attack', model: 'signs' },
    principals: ['mallory'],
  });
  const { status } = await asks(first, '/api/cases', { method: 'POST', body });
  if (status !== 201) throw new Error(`a case: expected 201, got ${status}`);
  await first.gateway.drain();
  const now = Date.now();
  await fillLog(join(data, 'record'), n, now, (i) => {
    if (i % 1_000_000 === 0) process.stderr.write(`log: ${i}\n`);
  });
  writeFileSync(logged, String(now));
}

async function makeRest(): Promise<void> {
  const now = Number(readFileSync(logged, 'utf8'));
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  progress('index');
  await fillIndex(join(data, 'record'), n, now);
  progress('store');
  fillStore(join(data, 'glacis.db'), n, now);
  writeFileSync(made, String(now));
}

if (!existsSync(logged)) await makeLog();
if (!existsSync(made) && until !== 'log') await makeRest();
if (until === 'asked') {
  const side = await open();
  environment(2, { decisions: n });
  for (const [what, path] of Object.entries(questions(n, Date.now()))) {
    const times: number[] = [];
    let bytes = 0;
    let status = 0;
    for (let i = 0; i <= REPEATS; i++) {
      const begun = performance.now();
      ({ status, bytes } = await asks(side, path));
      times.push(performance.now() - begun);
    }
    const [first = 0, ...rest] = times;
    const sorted = rest.toSorted((a, b) => a - b);
    line('question', {
      ...{ id: what, path, status, bytes, first, median: sorted[REPEATS >> 1], worst: sorted.at(-1) },
    });
  }
  const link = async () => {
    const { key, gateway } = side;
    const answer = await fetch(`${gateway.addresses.management}/api/session/links`, {
      ...{ method: 'POST', body: '{}' },
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    return ((await answer.json()) as { readonly url: string }).url;
  };
  for await (const page of paintPages(side.gateway.addresses.management, link, VISITS))
    line('page', { ...page });
  await side.gateway.drain();
}
done();
