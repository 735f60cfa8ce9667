import { GlacisError } from '../../core/error.ts';
import type { Policy } from '../../policy/read-policy.ts';
import type { Freeze } from '../contain/freeze.ts';
import type { Event } from '../decision.ts';
import type { Principal } from '../principal.ts';
import type { ServedModel } from '../served-model.ts';
import { openAdmission } from './admission/admit.ts';
import { type BackendConfig, type ModelConfig, versionsOf } from './config-schema.ts';
import { startEmbedded } from './embedded-runtime.ts';
import { keyOf, type Loading, loadVersion, type NotLoaded } from './load-version.ts';
import { type LostThread, lostText } from './lost-threads.ts';
import { memoryBound } from './memory-bound.ts';
import type { Routed } from './model-routes.ts';
import { type ModelStatus, statusOf } from './model-status.ts';
import { modelTable } from './model-table.ts';
import { retirement } from './retirement.ts';
import type { ShadowReport } from './shadow.ts';

/** What backends depend on. */
export interface BackendSurroundings {
  /** What relative paths start from: the folder of the configuration. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home. */
  readonly home: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The policy of the same file, if it has one, as it is in force now. */
  readonly policy?: (() => Policy | undefined) | undefined;
  /** Writes what happens with models to the log. What cannot be written does not happen. Errors: `output/unwritable`. */
  readonly record: (event: Event) => Promise<unknown>;
  /** Whether some guard of the model wants the features of its last layer. */
  readonly wantsFeatures: (model: string) => boolean;
  /** How answers of a model are explained; undefined where they are not. */
  readonly explains?: Loading['explains'];
  /** Makes ready what surrounds a version (its guards) before it serves; what it throws keeps the version out of service. */
  readonly prepare?: ((model: ServedModel) => void) | undefined;
  /** Longest time in milliseconds between finding a model and running it: a version that was replaced stays that long. */
  readonly grace: number;
  /** Hears of a thread whose run does not end. */
  readonly onLost?: ((lost: LostThread) => void) | undefined;
  readonly onShadow?: ((report: ShadowReport) => void) | undefined;
  /** Set while nothing may be promoted: aliases of registries lead where they led then, and nothing becomes a canary. */
  readonly frozen?: (() => Freeze | undefined) | undefined;
  /** Hears of what fails in the background. */
  readonly failed: (where: string, thrown: unknown) => void;
}

/** All models that are served. Changes come one after another; requests under way end where they began. */
export interface Backends {
  /** The version that answers: the one named, or the one in service for this principal, or for nobody in particular; undefined where there is none. */
  find(model: string, version: string | undefined, principal?: Principal): ServedModel | undefined;
  /**
   * Serves what the configuration says: loads what is new or has changed, switches when it is ready, lets go of the rest. A model in service of which a
   * version is not admitted stays as it was. Gives what was not loaded. Errors: `option/invalid`, those of the log.
   */
  apply(config: BackendConfig, by?: string): Promise<readonly NotLoaded[]>;
  /** Puts the version before the present one back into service, if it may still be served; with `follow`, as if nobody had rolled back. Errors: `option/invalid`, `registry/refused`. */
  rollback(model: string, by: string, options?: { readonly follow?: boolean }): Promise<void>;
  /** Sets or ends a canary. Errors: `option/invalid`, `registry/refused` while nothing may be promoted. */
  setCanary(model: string, canary: Routed['canary'], by: string): Promise<void>;
  /** Asks registries and the list of revoked digests again; stops what may not be served, follows aliases, tries again what could not be reached. */
  recheck(): Promise<void>;
  status(): readonly ModelStatus[];
  /** Bytes of weights in use, and the bound. */
  memory(): { readonly used: number; readonly limit: number };
  /** Threads in runs that do not end: the process cannot end by itself while there are any. */
  lostThreads(): number;
  /** Why some models cannot answer until a restart, or no model until a run ends that takes too long; undefined while all is well. */
  broken(): string | undefined;
  /** Ends when everything that was taken has its answer. */
  close(): Promise<void>;
}

/** Opens all models of the configuration. What cannot be loaded is reported and not served; the rest is, warmed up. Errors: those of the log. */
export async function openBackends(
  config: BackendConfig,
  around: BackendSurroundings,
): Promise<{ readonly backends: Backends; readonly notLoaded: readonly NotLoaded[] }> {
  const { now, record, failed, folder, wantsFeatures } = around;
  const memory = memoryBound(config.memory);
  const runtime = startEmbedded(memory, {
    threads: config.threads,
    mostLost: config.lostThreads,
    failed,
    lost(thread) {
      failed('runtime', new GlacisError('run/failed', lostText(thread)));
      around.onLost?.(thread);
    },
  });
  const closing = new AbortController();
  const { signal } = closing;
  const room = (): number => memory.limit - memory.used;
  let { revoked } = config;
  const admission = openAdmission({ ...around, revoked: () => revoked, signal, room });
  const leaving = retirement(around.grace, now, failed);
  const loading: Loading = {
    admission,
    runtime,
    folder,
    wantsFeatures,
    explains: around.explains,
    policy: around.policy,
    prepare: around.prepare,
    record,
    now,
    signal,
    makeRoom: () => table.makeRoom(),
  };
  const table = modelTable({
    keyOf: (wanted) => keyOf(wanted, loading),
    load: (wanted) => loadVersion(wanted, loading),
    retirement: leaving,
    event: (event, by, about) => record({ kind: 'event', at: now(), event, by, about }),
    now,
    onShadow: (report) => around.onShadow?.(report),
  });
  /** Models of which something elsewhere could not be reached. */
  const unreached = new Map<string, ModelConfig>();

  let turn: Promise<unknown> = Promise.resolve();
  /** One change after another. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(() => {
      if (signal.aborted) throw new GlacisError('run/cancelled', 'models: the server is closing');
      return work();
    });
    turn = mine.catch(() => {});
    return mine;
  };
  const applyModel = async (name: string, model: ModelConfig, by: string): Promise<readonly NotLoaded[]> => {
    const notLoaded = await table.apply(name, model, by);
    const elsewhere = [...versionsOf(model).values()].some(({ upstream, registry }) => upstream ?? registry);
    if (notLoaded.length > 0 && elsewhere) unreached.set(name, model);
    else unreached.delete(name);
    return notLoaded;
  };

  const backends: Backends = {
    find: (model, version, principal) => table.find(model, version, principal?.id),
    apply: (next, by = 'glacis') =>
      inTurn(async () => {
        if (
          next.memory !== config.memory ||
          next.threads !== config.threads ||
          next.lostThreads !== config.lostThreads
        )
          throw new GlacisError(
            'option/invalid',
            'memory, threads and lostThreads: expected those of the start; restart to change them',
          );
        revoked = next.revoked;
        for (const name of [...table.entries.keys(), ...unreached.keys()])
          if (!Object.hasOwn(next.models, name)) {
            unreached.delete(name);
            await table.remove(name, by);
          }
        const notLoaded: NotLoaded[] = [];
        for (const [name, model] of Object.entries(next.models))
          notLoaded.push(...(await applyModel(name, model, by)));
        return notLoaded;
      }),
    rollback: (name, by, options) => inTurn(() => table.rollback(name, by, options)),
    setCanary: (name, canary, by) =>
      inTurn(() => {
        const freeze = around.frozen?.();
        if (canary !== undefined && freeze !== undefined)
          throw new GlacisError(
            'registry/refused',
            `${name}: nothing is promoted (order ${freeze.order}: ${freeze.because})`,
          );
        return table.setCanary(name, canary, by);
      }),
    recheck: () =>
      inTurn(async () => {
        for (const name of [...table.entries.keys()])
          await table.recheck(name).catch((thrown: unknown) => failed(`recheck of ${name}`, thrown));
        for (const [name, model] of [...unreached])
          await applyModel(name, model, 'glacis').catch((thrown: unknown) =>
            failed(`loading ${name}`, thrown),
          );
      }),
    status: () => [...table.entries].map(([name, entry]) => statusOf(name, entry)),
    memory: () => ({ used: memory.used, limit: memory.limit }),
    lostThreads: () => runtime.threads.count,
    broken: () => {
      const { count, stuck } = runtime.pool;
      return (
        runtime.broken ??
        (stuck === count ? `all ${count} threads are in runs that take too long` : undefined)
      );
    },
    async close() {
      clearInterval(timer);
      closing.abort();
      await turn;
      leaving.hurry();
      table.clear();
      await leaving.all();
      await runtime.close();
    },
  };
  let rechecking = false;
  const again = (): void => {
    if (rechecking) return;
    rechecking = true;
    backends
      .recheck()
      .catch((thrown: unknown) => failed('recheck', thrown))
      .finally(() => {
        rechecking = false;
      });
  };
  const timer = setInterval(again, config.recheckSeconds * 1000);
  timer.unref();
  try {
    return { backends, notLoaded: await backends.apply(config) };
  } catch (thrown) {
    await backends.close();
    throw thrown;
  }
}
