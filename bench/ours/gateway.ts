import { mkdtempSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { letCompilersWait } from '../../src/core/thread-priority.ts';
import { openBackends } from '../../src/gateway/backend/open-backends.ts';
import { checkInputs } from '../../src/gateway/check-inputs.ts';
import { readServe } from '../../src/gateway/config/read-serve.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { openGateway } from '../../src/gateway/open-gateway.ts';
import { openFaces } from '../../src/gateway/protocol/index.ts';
import { line } from './lines.ts';

/** Refills nothing and refuses nobody: every limit is asked, none is met. */
const ENDLESS = 1e12;

const ANYBODY = {
  id: 'anybody',
  tenant: 'bench',
  credential: 'none',
  kind: 'anonymous',
  roles: [],
} as const;

/**
 * A gateway to be put under load: `--mode full` (keys, rights, rates, budgets, the guard of plain values, the signed log) or `bare` (the same faces
 * and the same runtime with nothing between). `--serve JSON` changes the configuration of the full one. Ends when its input does.
 */
async function main(): Promise<void> {
  letCompilersWait();
  const { values } = parseArgs({
    options: { mode: { type: 'string' }, model: { type: 'string' }, serve: { type: 'string' } },
    strict: true,
  });
  const file = values.model;
  if (file === undefined) throw new GlacisError('option/invalid', '--model: expected a file');
  const own = values.serve === undefined ? {} : (JSON.parse(values.serve) as object);
  const serve = {
    listen: { port: 0, grpcPort: 0 },
    management: { port: 0 },
    models: { m: { file: resolve(file), check: { asGiven: true }, batching: { queue: 100_000 } } },
    rates: { limits: [{ per: 'principal', requests: 1e9, every: 'second' }] },
    budgets: { limits: [{ per: 'principal', queries: ENDLESS }] },
    ...own,
  };
  const { config } = readServe(JSON.stringify({ serve }), 'bench');
  const folder = mkdtempSync(join(tmpdir(), 'glacis-bench-'));
  const around = { folder, env: process.env, home: homedir() };
  if (values.mode === 'full') {
    const gateway = await openGateway({ config, dataFolder: join(folder, 'data'), ...around });
    if (gateway.notLoaded.length > 0) throw new GlacisError('run/failed', gateway.notLoaded[0]!.because);
    const { text } = await gateway.keys.create(
      {
        principal: 'bench',
        tenant: 'bench',
        roles: ['admin'],
        scope: { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'logits' },
      },
      { id: 'bench', mayGrant: true },
    );
    line('ready', { ...gateway.addresses, key: text });
    await ended();
    await gateway.drain();
  } else {
    const { backends } = await openBackends(config, {
      ...around,
      now: Date.now,
      record: async () => 0,
      wantsFeatures: () => false,
      grace: 0,
      failed: (where, thrown) => console.error(where, thrown),
    });
    const bare: Gateway = {
      isReady: () => true,
      mostBytes: config.mostBytes,
      mostSamples: config.mostSamples,
      async infer({ request, model, version, signal }) {
        const served = backends.find(model, version, ANYBODY)!;
        const { inputs, n } = checkInputs(request, served.metadata, config.mostSamples);
        const { outputs } = await served.run(inputs, { n, signal, features: false });
        return { kind: 'answer', decision: '', response: { modelName: model, outputs } };
      },
      describe: async (_, model) => ({
        kind: 'description',
        metadata: backends.find(model, undefined, ANYBODY)!.metadata,
      }),
      modelReady: async (_, model) => ({
        kind: 'description',
        metadata: backends.find(model, undefined, ANYBODY)!.metadata,
      }),
      malformed: async ({ address }, { refusal, because }) => {
        console.error(address, because);
        return { kind: 'refusal', refusal, decision: '' };
      },
    };
    const faces = await openFaces(bare, config.listen);
    line('ready', { ...faces.addresses, key: 'none' });
    await ended();
    await faces.close();
    await backends.close();
  }
  const { user, system } = process.resourceUsage() as unknown as { user?: number; system?: number };
  line('done', { cpu: process.cpuUsage(), rss: process.resourceUsage().maxRSS, user, system });
}

function ended(): Promise<void> {
  return new Promise((done) => {
    process.stdin.resume();
    process.stdin.on('end', done);
  });
}

await main();
