import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../../../src/core/error.ts';
import { readServe } from '../../../src/gateway/config/read-serve.ts';
import { openGateway } from '../../../src/gateway/open-gateway.ts';
import { MONITOR_CALIBRATION } from '../../../src/monitor/calibration-file.ts';
import { modelPath } from '../../places.ts';
import { DIGIT } from '../stateful/pictures.ts';

/** What is done about an alarm: whom one of severity `high` names is quarantined; or the rules that a gateway has when it is told nothing (docs/incidents.md). */
export const ANSWERS = ['quarantine', 'default'] as const;

/** One of {@link ANSWERS}. */
export type Answer = (typeof ANSWERS)[number];

/** A gateway as it is served, with all monitors. */
export interface ServedVictim {
  /** Makes a key for a principal; gives a client that asks with it. `undefined`: refused. */
  client(principal: string): Promise<(x: Float32Array, n: number) => Promise<Float32Array | undefined>>;
  /** Samples that were answered with their label alone, to all together. */
  labelled(): number;
  /** Orders in force: whom they meet, and when. */
  orders(): Promise<readonly { readonly principal: string | undefined; readonly at: number }[]>;
  close(): Promise<void>;
}

/** Starts it: over loopback, with log, store, cases, measures and console, and nothing changed but, for `quarantine`, the rules. */
export async function serveVictim(
  calibration: Readonly<Record<string, unknown>>,
  answer: Answer,
): Promise<ServedVictim> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-monitors-'));
  const file = join(folder, 'calibration.json');
  writeFileSync(file, JSON.stringify({ schema: MONITOR_CALIBRATION, models: { digits: calibration } }));
  const serve = {
    listen: { port: 0 },
    management: { port: 0 },
    models: { digits: { file: modelPath('mnist-cnn'), check: { asGiven: true } } },
    rates: { limits: [{ per: 'principal', requests: 1e9, every: 'second' }] },
    budgets: { limits: [{ per: 'principal', queries: 1e12 }] },
    monitors: { measured: file },
    ...(answer === 'quarantine' && {
      incidents: {
        respond: {
          rules: [{ when: { kind: 'attack', severity: 'high' }, do: [{ measure: 'quarantine' }] }],
          mostQuarantined: 1000,
        },
      },
    }),
  };
  const { config } = readServe(JSON.stringify({ serve }), 'bench');
  const gateway = await openGateway({
    ...{ config, folder, dataFolder: join(folder, 'data'), env: process.env, home: homedir() },
  });
  if (gateway.notLoaded.length > 0) throw new GlacisError('run/failed', gateway.notLoaded[0]!.because);
  const url = `${gateway.addresses.rest}/v2/models/digits/infer`;
  const admin = await gateway.keys.create(
    {
      ...{ principal: 'operator', tenant: 'operators', roles: ['admin'] },
      scope: { models: ['*'], operations: ['infer'], detail: 'logits' },
    },
    { id: 'bench', mayGrant: true },
  );
  let labelled = 0;
  return {
    labelled: () => labelled,
    async client(principal) {
      const { text } = await gateway.keys.create(
        {
          ...{ principal, tenant: principal, roles: [] },
          scope: { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'logits' },
        },
        { id: 'bench', mayGrant: true },
      );
      return async (x, n) => {
        const head = Buffer.from(
          JSON.stringify({
            inputs: [
              {
                ...{ name: 'input', datatype: 'FP32', shape: [n, 1, 28, 28] },
                parameters: { binary_data_size: 4 * n * DIGIT },
              },
            ],
          }),
        );
        const body = Buffer.concat([head, Buffer.from(x.buffer, x.byteOffset, 4 * n * DIGIT)]);
        const answer = await fetch(url, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${text}`,
            'content-type': 'application/octet-stream',
            'inference-header-content-length': String(head.length),
          },
          body,
        });
        const said = (await answer.json()) as {
          readonly outputs?: readonly {
            readonly data: readonly number[];
            readonly parameters?: { readonly detail?: string };
          }[];
          readonly error?: string;
        };
        if (answer.status === 200) {
          const { data, parameters } = said.outputs![0]!;
          if (parameters?.detail === 'label') labelled += n;
          return Float32Array.from(data);
        }
        if (answer.status === 429 || answer.status === 403 || answer.status === 404) return undefined;
        throw new GlacisError(
          'run/failed',
          `gateway: expected an answer, got ${answer.status} ${said.error}`,
        );
      };
    },
    async orders() {
      const answer = await fetch(`${gateway.addresses.management}/api/orders`, {
        headers: { authorization: `Bearer ${admin.text}` },
      });
      const { rows } = (await answer.json()) as {
        readonly rows: readonly { readonly target: { readonly principal?: string }; readonly at: number }[];
      };
      return rows.map(({ target, at }) => ({ principal: target.principal, at }));
    },
    async close() {
      await gateway.drain();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
