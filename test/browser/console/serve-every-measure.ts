import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { writeNpz } from '../../../src/data/index.ts';
import { SIGN_SHAPE } from '../../../src/data/traffic-signs/render.ts';
import type { Measure } from '../../../src/incident/order.ts';
import { elementCount } from '../../../src/onnx/tensor.ts';
import { glacis } from '../../end-to-end/cli.ts';
import { sign } from './on-real-gateway.ts';

/** Measures that a second person must agree to, and whose end they must agree to. */
export const TAKES_TWO: Readonly<Record<'measures' | 'lift', readonly Measure[]>> = {
  measures: ['quarantine', 'rollback'],
  lift: ['freeze'],
};

/** Calm pictures that the guard is calibrated on. */
const CALM = 200;
/** From this picture on nobody asks about any. */
const UNSEEN = 100_000;

/** A registry in a folder, as an approver uses it who is not the gateway. */
export interface ApproversRegistry {
  /** Lets an alias lead to a version: the program's exit code, and what it said. */
  promote(version: string, alias: string): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Runs the program, and expects that it works. */
async function run(folder: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await glacis(args, { cwd: folder });
  expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
}

/**
 * A registry that has the hardened network as `signs@1`, in production, and the plain one as `signs@2`. The gateway is one approver, a person another. Uses the machine's memory of
 * registries, which `GLACIS_REGISTRY_HOME` names.
 */
export async function registryFor(folder: string): Promise<ApproversRegistry> {
  const { model, hardened } = await bundledExample();
  for (const name of ['gateway', 'person']) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(
      join(folder, `${name}.pem`),
      privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    );
  }
  const approvers = ['gateway', 'person'].flatMap((name) => ['--approver', `${name}=${name}.pem`]);
  const trust = ['--log-key', 'log.pem', '--trust', 'models.trust.json'];
  await run(folder, 'registry', 'init', 'models', '--key', 'person.pem', ...approvers, ...trust);
  const as = ['--registry', 'models', '--log-key', 'log.pem', '--key', 'person.pem'];
  await run(folder, 'registry', 'push', hardened, 'signs@1', ...as);
  await run(folder, 'registry', 'push', model, 'signs@2', ...as);
  await run(folder, 'registry', 'promote', 'signs@1', 'production', ...as);
  return {
    promote: (version, alias) =>
      glacis(['registry', 'promote', `signs@${version}`, alias, ...as], { cwd: folder }),
  };
}

/** Calibrates the guard `energy` of the hardened network: the threshold above which it flags. */
export async function calibrateEnergy(folder: string): Promise<void> {
  const { hardened } = await bundledExample();
  const size = elementCount(SIGN_SHAPE);
  const x = new Float32Array(CALM * size);
  for (let i = 0; i < CALM; i++) x.set(sign(UNSEEN + i), i * size);
  await writeNpz(join(folder, 'calm.npz'), { x: { data: x, shape: [CALM, ...SIGN_SHAPE] } });
  const how = ['--guards', 'energy', '--rates', '0.2', '--threads', '1'];
  await run(folder, 'calibrate', hardened, '--data', 'calm.npz', '--out', 'calibration.json', ...how);
}

/**
 * `serve` of a gateway on which every measure can be taken: `signs` has two versions of which `use` serves, `second` answers in its place under `verify` and has a calibrated
 * guard that flags, and `followed` is what a registry has in production, which the gateway itself may freeze.
 */
export async function serveEveryMeasure(use: string): Promise<object> {
  const { model, hardened } = await bundledExample();
  const check = { asGiven: true };
  const registry = { location: 'models', trust: 'models.trust.json' };
  return {
    ...{ listen: { port: 0 }, management: { port: 0 } },
    log: { publishEvery: '1 second' },
    // Nothing happens by itself: what a test sees is what a person did.
    incidents: { respond: { mode: 'off' }, fourEyes: TAKES_TWO },
    contain: { registries: [{ ...registry, key: 'gateway.pem', logKey: 'log.pem' }] },
    models: {
      signs: { versions: { 1: { file: hardened, check }, 2: { file: model, check } }, use },
      second: { file: hardened, check },
      followed: { registry: { ...registry, model: 'signs:production' } },
    },
    only: {
      signs: { verify: { model: 'second', share: 0, action: 'flag' } },
      second: {
        answers: { detail: 'logits' },
        guards: { calibration: 'calibration.json', energy: { action: 'flag' } },
      },
    },
  };
}
