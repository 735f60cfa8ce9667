import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import type { ModelStatus } from '../backend/model-status.ts';
import type { Event } from '../decision.ts';
import type { InputGuard } from '../guard.ts';
import { modelFixture } from '../pipeline.fixture.ts';
import type { ServedModel } from '../served-model.ts';
import { type ContainmentSurroundings, type OpenContainment, openContainment } from './open-containment.ts';
import { standInFor } from './stand-in.ts';

/** A store in a file that goes away with the test. */
export async function storeFixture(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-orders-'));
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return store;
}

/** A gateway's models, and what was written to its log. */
export interface World {
  readonly containment: OpenContainment;
  readonly events: Event[];
  readonly failures: unknown[];
  /** Served versions by `name@version`. */
  readonly versions: Map<string, ServedModel>;
  /** Versions in service and before, by model. */
  readonly use: Map<string, { use: string; previous: string | undefined; followed: boolean }>;
  time: number;
  ticks: number;
}

const digest = (n: number) => `sha256:${String(n).repeat(64)}`;

/** Model `m` in version 2 after version 1, and `check`, which checks it: its scores are turned round. */
export async function worldFixture(
  store: Store,
  over: Partial<ContainmentSurroundings> & { readonly guards?: () => readonly InputGuard[] } = {},
): Promise<World> {
  const versions = new Map<string, ServedModel>();
  const put = (model: ServedModel) => versions.set(`${model.name}@${model.version}`, model);
  put(modelFixture({ version: '1', digest: digest(1) }));
  put(modelFixture({ version: '2', digest: digest(2) }));
  put(turnedRound(modelFixture({ name: 'check', version: '7', digest: digest(7) })));
  const use: World['use'] = new Map([
    ['m', { use: '2', previous: '1', followed: true }],
    ['check', { use: '7', previous: undefined, followed: true }],
  ]);
  const status = (model: string): ModelStatus => {
    const { use: current, previous } = use.get(model)!;
    const versionOf = (version: string) => ({
      version,
      digest: versions.get(`${model}@${version}`)!.digest,
      metadata: versions.get(`${model}@${version}`)!.metadata,
      checks: [],
      notes: [],
      stopped: undefined,
      load: { open: 0, waiting: 0 },
    });
    return {
      model,
      use: current,
      canary: undefined,
      shadow: undefined,
      previous: previous === undefined ? undefined : versionOf(previous),
      versions: [versionOf(current)],
    };
  };
  const find = (model: string, version?: string) =>
    versions.get(`${model}@${version ?? use.get(model)?.use}`);
  const world = {
    events: [] as Event[],
    failures: [] as unknown[],
    versions,
    use,
    time: 1_700_000_000_000,
    ticks: 0,
  };
  const containment = await openContainment({
    store,
    record: async (event) => world.events.push(event),
    now: () => world.time,
    clock: () => world.ticks,
    failed: (where, thrown) => world.failures.push([where, thrown]),
    models: () => [...use.keys()].map(status),
    find,
    guards: () => [],
    standInFor: (model) => standInFor(model, find('check')!),
    async rollback(model, _by, { follow = false } = {}) {
      const { use: from, previous: to } = use.get(model)!;
      use.set(model, { use: to!, previous: from, followed: follow });
    },
    ...over,
  });
  onTestFinished(() => containment.close());
  containment.start();
  return Object.assign(world, { containment });
}

/** The same model with its two scores exchanged. */
export function turnedRound(model: ServedModel): ServedModel {
  return {
    ...model,
    async run(inputs, options) {
      const { outputs } = await model.run(inputs, options);
      const [output] = outputs;
      const data = (output!.data as Float32Array).slice();
      for (let i = 0; i < data.length; i += 2) [data[i], data[i + 1]] = [data[i + 1]!, data[i]!];
      return { outputs: [{ ...output!, data } as typeof output & object] };
    },
  };
}
