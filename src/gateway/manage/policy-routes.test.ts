import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import type { Order } from '../../incident/order.ts';
import { parsePolicy } from '../../policy/read-policy.ts';
import { fingerprintOf } from '../../supply/sign/ec-key.ts';
import { keySigner } from '../../supply/sign/key-method.ts';
import { signModel } from '../../supply/sign/sign-model.ts';
import { readServe } from '../config/read-serve.ts';
import type { PolicyView } from '../console/api.ts';
import type { InputGuard } from '../guard.ts';
import type { ServedModel } from '../served-model.ts';
import { type PolicyParts, policyRoutes } from './policy-routes.ts';
import { call } from './routes.fixture.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let folder: string;
const at = (name: string) => join(folder, name);

const TEXT = `schema: glacis.policy/1
signers:
  release: { key: 'sha256:${fingerprintOf(publicKey)}' }
defaults: { signers: [release], fresh: 90 days }
models:
  - name: net
    stages:
      staging: [{ require: signature }]
      production: [{ require: signature }, { require: secrets }]
serve:
  models:
    net:
      file: net.onnx
      check: { gate: { stage: staging, trust: [release.pub] } }
    plain: { file: net.onnx, check: { asGiven: true } }
    far: { upstream: { url: 'https://far.example/v2/models/far', digest: 'sha256:${'0'.repeat(64)}' } }
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-policy-'));
  await writeFile(at('release.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(at('net.onnx'), 'a model that nobody opens');
  await writeFile(at('glacis.yaml'), TEXT);
});
afterEach(() => rm(folder, { recursive: true }));

const sign = async () =>
  writeFile(at('net.onnx.sig'), (await signModel(at('net.onnx'), keySigner(privateKey))).bundle);

const served = { name: 'net', version: '1', digest: 'sha256:1' } as ServedModel;
const rights = { policies: [], digest: 'sha256:2', problem: undefined };

function partsOf(over: Partial<PolicyParts> = {}): PolicyParts {
  const { config } = readServe(TEXT, 'glacis.yaml');
  const policy = parsePolicy(TEXT);
  const load = { open: 0, waiting: 0 };
  const version = { version: '1', digest: 'sha256:1', notes: [], stopped: undefined, load };
  const checks = [{ check: 'gate' as const, by: 'staging: release' }];
  return {
    ...{ config: () => config, policy: () => policy, folder, file: at('glacis.yaml'), now: Date.now },
    ...{ rights, management: rights, orders: () => [], notLoaded: () => [] },
    backends: {
      status: () => [{ model: 'net', use: '1', versions: [{ ...version, checks }] }] as never,
      find: (model) => (model === 'net' ? served : undefined),
    },
    guards: () => [
      { name: 'margin', alarm: { threshold: 0.25, action: 'flag' } } as InputGuard,
      { name: 'input' } as InputGuard,
    ],
    trialGuard: () => {
      throw new GlacisError('option/invalid', 'no calibration');
    },
    ...over,
  };
}

const view = async (over: Partial<PolicyParts> = {}) =>
  (await call(policyRoutes(partsOf(over)), 'GET /api/policy')).json as PolicyView;

describe('what is required and met', () => {
  it('says of each stage what is there and what is missing', async () => {
    await sign();
    const { models, text, digest } = await view();
    expect(text).toBe(TEXT);
    expect(digest).toMatch(/^sha256:/);
    const net = models.find(({ model }) => model === 'net')!;
    expect(net).toMatchObject({ stage: 'staging', served: true });
    expect(net.requirements.map(({ name, stage, state }) => [name, stage, state])).toEqual([
      ['gate', undefined, 'met'],
      ['signature', 'staging', 'met'],
      ['signature', 'production', 'met'],
      ['secrets', 'production', 'missing'],
    ]);
  });

  it('says who is not served and why, what nobody vouches for, and what cannot be known', async () => {
    const because = 'gate: not let through to staging: signature: nobody signed it';
    const { models } = await view({
      backends: { status: () => [], find: () => undefined },
      notLoaded: () => [{ model: 'net', version: '1', because }],
    });
    const of = (name: string) => models.find(({ model }) => model === name)!;
    expect(of('net')).toMatchObject({ served: false });
    expect(of('net').requirements[0]).toMatchObject({ name: 'gate', state: 'not-met', because });
    expect(of('plain').requirements[0]).toMatchObject({ name: 'as-given', state: 'none' });
    expect(of('far').requirements).toMatchObject([{ name: 'upstream', state: 'none' }]);
  });

  it('says why it cannot tell', async () => {
    await rm(at('net.onnx'));
    const { models } = await view();
    const policy = models[0]!.requirements.find(({ name }) => name === 'policy')!;
    expect(policy.state).toBe('missing');
    expect(policy.because).toMatch(/net\.onnx/);
  });

  it('looks at a model again only when something has changed or time has passed', async () => {
    let now = Date.now();
    const routes = policyRoutes(partsOf({ now: () => now }));
    const state = async () =>
      ((await call(routes, 'GET /api/policy')).json as PolicyView).models[0]!.requirements.find(
        ({ name }) => name === 'signature',
      )!.state;
    expect(await state()).toBe('missing');
    await sign();
    expect(await state()).toBe('missing');
    now += 301_000;
    expect(await state()).toBe('met');
  });

  it('shows guards with their thresholds, and the measures that change them', async () => {
    const order = (model?: string): Order => ({
      ...{ id: 'o', by: 'ann', at: 1, measure: 'guard', because: 'x' },
      ...{ target: { model }, guard: { name: 'margin', strictness: 0.5 } },
    });
    const { guards } = await view({ orders: () => [order('other'), order('net')] });
    expect(guards).toMatchObject([
      { guard: 'margin', threshold: 0.25, action: 'flag', overridden: { target: { model: 'net' } } },
      { guard: 'input', overridden: undefined },
    ]);
    expect(guards[0]!.about).not.toBe('');
  });

  it('shows guards that could be on, with the threshold that they would have', async () => {
    const tried: string[] = [];
    const trialGuard = (_: unknown, name: string): InputGuard => {
      tried.push(name);
      if (name === 'constraints') return { name } as InputGuard;
      if (name !== 'energy') throw new GlacisError('option/invalid', 'no calibration');
      return { name, alarm: { threshold: 4, action: 'flag' } } as InputGuard;
    };
    const { guards } = await view({ trialGuard });
    expect(guards.map(({ guard, isOn, threshold }) => [guard, isOn, threshold])).toEqual([
      ['margin', true, 0.25],
      ['input', true, undefined],
      ['energy', false, 4],
    ]);
    expect(tried).not.toContain('margin');
  });

  it('shows budgets and rates in force', async () => {
    const { budgets, rates } = await view();
    expect(budgets[0]).toMatchObject({ per: 'principal', queries: 50_000, together: false });
    expect(rates[0]).toEqual({ per: 'principal', requests: 500, every: 'second' });
  });

  it('does without a file', async () => {
    expect(await view({ file: undefined, policy: () => undefined })).toMatchObject({ text: undefined });
    expect((await view({ file: at('gone.yaml') })).text).toBeUndefined();
  });
});
