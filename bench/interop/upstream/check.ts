import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { GlacisError } from '../../../src/core/error.ts';
import { readServe } from '../../../src/gateway/config/read-serve.ts';
import { openProcessLog } from '../../../src/gateway/observe/process-log.ts';
import { openGateway } from '../../../src/gateway/open-gateway.ts';
import {
  decodeInferResponse,
  encodeInferRequest,
  floatsOf,
  JSON_LENGTH_HEADER,
} from '../../../src/oip/index.ts';
import { DIGIT, digits } from '../../ours/stateful/pictures.ts';
import { BENCH } from '../../places.ts';
import { networkNamed } from '../../suites/request-bodies.ts';

/** Digits asked about, and samples of a request. */
const DIGITS = 500;
const BATCH = 10;
/** How far answers of two builds of the runtime may be from each other. */
const CLOSE = 1e-4;
/** How long a server may take to come back into service, in milliseconds. */
const PATIENCE = 60_000;

/** The models behind the gateway: one server, asked in three ways. */
const BEHIND = ['rest', 'binary', 'grpc'];

const network = networkNamed('mnist-cnn');

/** A server that stands behind the gateway. */
interface Upstream {
  /** What makes it. */
  readonly setup: string;
  readonly python: string;
  readonly args: readonly string[];
}
const mlserver = join(BENCH, 'peers', 'serving');
const here = import.meta.dirname;
const kserve = join(BENCH, 'interop', 'kserve');
const UPSTREAMS: Readonly<Record<string, Upstream>> = {
  mlserver: {
    setup: 'bench/peers/serving/setup.sh',
    python: join(mlserver, 'venv', 'bin', 'python'),
    args: [
      ...[join(mlserver, 'serve.py'), network.file],
      ...['--workers', '0', '--threads', '1', '--batch', '1', '--wait', '0'],
    ],
  },
  triton: {
    setup: 'bench/interop/upstream/setup.sh',
    python: join(here, 'venv', 'bin', 'python'),
    args: [join(here, 'triton.py'), network.file],
  },
  kserve: {
    setup: 'bench/interop/kserve/setup.sh',
    python: join(kserve, 'venv', 'bin', 'python'),
    args: [join(kserve, 'serve.py'), network.file],
  },
};
const [named = 'mlserver'] = process.argv.slice(2);
const upstream = UPSTREAMS[named];
if (upstream === undefined)
  throw new GlacisError('option/invalid', `${named}: expected ${Object.keys(UPSTREAMS).join(' or ')}`);
if (!existsSync(upstream.python))
  throw new GlacisError('run/failed', `${upstream.python}: expected ${named}; run ${upstream.setup} first`);

/** Starts the server with the network; gives the process, which makes itself the leader of a group, and its addresses. */
async function start(
  { python, args }: Upstream,
  ports: readonly string[] = [],
): Promise<{ readonly server: ChildProcess; readonly rest: string; readonly grpc: string }> {
  const server = spawn(python, [...args, ...(ports.length > 0 ? ['--ports', ...ports] : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const text of createInterface({ input: server.stdout! }))
    if (text.startsWith('{"rest"'))
      return { server, ...(JSON.parse(text) as { readonly rest: string; readonly grpc: string }) };
  throw new GlacisError('run/failed', `${named}: expected a server, it ended`);
}

/** Ends it and all that it started, at once. */
function kill({ pid, exitCode }: ChildProcess): void {
  if (exitCode === null && pid !== undefined)
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
}

let failed = 0;
function check(what: string, holds: boolean, detail = ''): void {
  if (!holds) failed++;
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${what}${detail === '' ? '' : `: ${detail}`}`);
}

const first = await start(upstream);
const folder = mkdtempSync(join(tmpdir(), 'glacis-upstream-'));
const digest = `sha256:${createHash('sha256').update(readFileSync(network.file)).digest('hex')}`;
const behind = (url: string, format?: 'binary') => ({
  upstream: { url, digest, networks: ['127.0.0.0/8'], ...(format && { format }) },
});
const serve = {
  listen: { port: 0 },
  management: { port: 0 },
  models: {
    here: { file: network.file, check: { asGiven: true } },
    rest: behind(`${first.rest}/v2/models/m`),
    // KServe takes and gives tensors in binary form, but does not say so.
    binary: behind(`${first.rest}/v2/models/m`, 'binary'),
    grpc: behind(`${first.grpc}/v2/models/m`),
  },
  rates: { limits: [{ per: 'principal', requests: 1e6, every: 'second' }] },
  recheckSeconds: 1,
};
const { config } = readServe(JSON.stringify({ serve }), 'check');
const gateway = await openGateway({
  ...{ config, folder, dataFolder: join(folder, 'data'), env: process.env, home: homedir() },
  log: openProcessLog({ write: () => {} }),
});
try {
  check(
    'all models are loaded',
    gateway.notLoaded.length === 0,
    gateway.notLoaded.map((each) => each.because).join('; '),
  );
  const scope = { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' } as const;
  const { text: key } = await gateway.keys.create(
    { principal: 'check', tenant: 'check', roles: [], scope },
    { id: 'check', mayGrant: true },
  );
  const ask = async (model: string, data: Float32Array) => {
    const shape = [data.length / DIGIT, 1, 28, 28];
    const { body, headers } = encodeInferRequest(
      { inputs: [{ name: network.input, datatype: 'FP32', shape, data }], binaryOutput: true },
      { binary: true },
    );
    const answer = await fetch(`${gateway.addresses.rest}/v2/models/${model}/infer`, {
      ...{ method: 'POST', headers: { ...headers, Authorization: `Bearer ${key}` }, body },
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) return { status: answer.status };
    const response = decodeInferResponse(
      { body: bytes, jsonLength: answer.headers.get(JSON_LENGTH_HEADER) },
      model,
    );
    return { status: 200, scores: floatsOf(response.outputs[0]!) };
  };
  const { x } = digits('t10k');
  for (const model of BEHIND) {
    let [worst, answered] = [0, 0];
    for (let i = 0; i < DIGITS; i += BATCH) {
      const batch = x.subarray(i * DIGIT, (i + BATCH) * DIGIT);
      const [here, there] = [await ask('here', batch), await ask(model, batch)];
      if (here.scores === undefined || there.scores === undefined) continue;
      answered += BATCH;
      for (const [k, score] of there.scores.entries())
        worst = Math.max(worst, Math.abs(score - here.scores[k]!));
    }
    check(
      `${DIGITS} digits over ${model} are answered as by the model itself`,
      answered === DIGITS && worst <= CLOSE,
      `${answered} answered, scores differ by at most ${worst.toExponential(1)}`,
    );
  }
  kill(first.server);
  await once(first.server, 'exit');
  const one = x.subarray(0, DIGIT);
  for (const model of BEHIND) check(`killed: ${model} is refused`, (await ask(model, one)).status === 503);
  check('killed: the model on this machine goes on', (await ask('here', one)).status === 200);
  const again = await start(
    upstream,
    [first.rest, first.grpc].map((url) => new URL(url.replace('grpc:', 'http:')).port),
  );
  for (const model of BEHIND) {
    const begun = performance.now();
    let status = 0;
    while (status !== 200 && performance.now() - begun < PATIENCE) {
      status = (await ask(model, one)).status;
      if (status !== 200) await sleep(250);
    }
    check(
      `back: ${model} answers again by itself`,
      status === 200,
      `${((performance.now() - begun) / 1000).toFixed(1)} s after the server was ready`,
    );
  }
  kill(again.server);
} finally {
  kill(first.server);
  await gateway.drain();
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? 'all passed' : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
