import { availableParallelism } from 'node:os';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { Policy } from '../../policy/read-policy.ts';
import type { Event } from '../decision.ts';
import type { Principal } from '../principal.ts';
import type { ServedModel } from '../served-model.ts';
import { type Admission, openAdmission } from './admission/admit.ts';
import type { PassedCheck } from './admission/passed-check.ts';
import type { BackendModel, ModelLoad } from './backend-model.ts';
import { type BackendConfig, type ModelConfig, type VersionConfig, versionsOf } from './config-schema.ts';
import { openEmbedded, startEmbedded } from './embedded.ts';
import { type LoadedVersion, loadedVersion } from './loaded-version.ts';
import { memoryBound } from './memory-bound.ts';
import { type Routed, versionFor } from './model-routes.ts';
import { openShadow, type ShadowReport } from './shadow.ts';
import { openUpstream } from './upstream/open-upstream.ts';

/** What backends depend on. */
export interface BackendSurroundings {
  /** What relative paths start from: the folder of the configuration. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home. */
  readonly home: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The policy of the same file, if it has one. */
  readonly policy?: Policy | undefined;
  /** Writes what happens with models to the log. What cannot be written does not happen. */
  readonly record: (event: Event) => Promise<unknown>;
  /** Whether some guard of the model wants the features of its last layer. */
  readonly wantsFeatures: (model: string) => boolean;
  /** Longest time in milliseconds between finding a model and running it: a version that was replaced stays that long. */
  readonly grace: number;
  readonly onShadow?: ((report: ShadowReport) => void) | undefined;
  /** Hears of what fails in the background. */
  readonly failed?: ((where: string, thrown: unknown) => void) | undefined;
}

/** A version that was not loaded, and why. */
export interface NotLoaded {
  readonly model: string;
  readonly version: string;
  readonly because: string;
}

/** A model for the management side. */
export interface ModelStatus {
  readonly model: string;
  readonly use: string;
  readonly canary?: Routed['canary'];
  readonly shadow?: { readonly version: string; readonly share: number } | undefined;
  /** What a rollback leads to. */
  readonly previous: { readonly version: string; readonly digest: string } | undefined;
  readonly versions: readonly {
    readonly version: string;
    readonly digest: string;
    readonly checks: readonly PassedCheck[];
    readonly notes: readonly string[];
    /** Why it answers nothing any more. */
    readonly stopped: string | undefined;
    readonly load: ModelLoad;
  }[];
}

/** All models that are served. Changes come one after another; requests under way end where they began. */
export interface Backends {
  /** Finds the version that answers. */
  find(model: string, version: string | undefined, principal: Principal): ServedModel | undefined;
  /**
   * Serves what the configuration says: loads what is new or has changed, switches when it is ready, lets go of the rest. A model of which a version
   * is not admitted stays as it was. Gives what was not loaded.
   */
  apply(config: BackendConfig, by?: string): Promise<readonly NotLoaded[]>;
  /** Puts the version before the present one back into service, if it may still be served. Errors: `option/invalid`, `registry/refused`. */
  rollback(model: string, by: string): Promise<void>;
  /** Sets or ends a canary. Errors: `option/invalid`. */
  setCanary(model: string, canary: Routed['canary'], by: string): Promise<void>;
  /** Asks registries and the list of revoked digests again; stops what may not be served, follows aliases, tries what could not be reached. */
  recheck(): Promise<void>;
  status(): readonly ModelStatus[];
  /** Bytes of weights in use, and the bound. */
  memory(): { readonly used: number; readonly limit: number };
  /** Ends when everything that was taken has its answer. */
  close(): Promise<void>;
}

interface Entry extends Routed {
  readonly config: ModelConfig;
  readonly versions: Map<string, LoadedVersion>;
  use: string;
  canary: Routed['canary'];
  previous: { readonly version: string; readonly loaded: LoadedVersion; readonly since: number } | undefined;
}

/** Opens all models of the configuration. What cannot be loaded is reported and not served; the rest is. */
export async function openBackends(
  config: BackendConfig,
  around: BackendSurroundings,
): Promise<{ readonly backends: Backends; readonly notLoaded: readonly NotLoaded[] }> {
  const { now, grace, record } = around;
  const memory = memoryBound(config.memory);
  const runtime = startEmbedded(memory, config.threads ?? availableParallelism());
  const entries = new Map<string, Entry>();
  /** Models of which something could not be reached. */
  const unreached = new Map<string, ModelConfig>();
  const leaving = new Set<Promise<void>>();
  const closing = new AbortController();
  let admission: Admission;
  const admitWith = (revoked: string | undefined): Admission =>
    openAdmission({ ...around, revoked, signal: closing.signal, room: () => memory.limit - memory.used });
  const failed = (where: string, thrown: unknown): void => around.failed?.(where, thrown);
  const event = (name: string, by: string, about: Event['about']): Promise<unknown> =>
    record({ kind: 'event', at: now(), event: name, by, about });

  let turn: Promise<unknown> = Promise.resolve();
  /** One change after another. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  /** Lets go of a version once nobody can still be about to run it. `since`: when it was last found. */
  const retire = ({ backend }: LoadedVersion, since = now()): Promise<void> => {
    const left = closing.signal.aborted ? 0 : Math.max(0, Math.min(grace, since + grace - now()));
    const done = pause(left, closing.signal)
      .then(() => backend.close())
      .catch((thrown) => failed(`closing ${backend.name} ${backend.version}`, thrown))
      .finally(() => leaving.delete(done));
    leaving.add(done);
    return done;
  };
  /** Room for another model: what is kept for a rollback alone has to go. */
  const makeRoom = async (): Promise<void> => {
    const kept: Promise<void>[] = [...leaving];
    for (const entry of entries.values()) {
      const { previous } = entry;
      if (!previous || [...entry.versions.values()].includes(previous.loaded)) continue;
      entry.previous = undefined;
      kept.push(retire(previous.loaded, previous.since));
    }
    await Promise.all(kept);
  };

  const load = async (
    name: string,
    version: string,
    model: ModelConfig,
    source: VersionConfig,
  ): Promise<LoadedVersion | NotLoaded> => {
    const key = keyOf(model, source, around.wantsFeatures(name));
    const refuse = async (because: string): Promise<NotLoaded> => {
      await event('model-not-loaded', 'glacis', { model: name, version, because });
      return { model: name, version, because };
    };
    try {
      if (source.upstream) {
        const backend = await openUpstream({
          name,
          version,
          config: source.upstream,
          classifier: model.classifier,
          folder: around.folder,
          signal: closing.signal,
        });
        const checks: PassedCheck[] = [
          { check: 'as-given', by: 'the configuration, which states its digest' },
        ];
        return loadedVersion(backend, { key, checks, recheck: async () => ({}) });
      }
      const open = async (): Promise<LoadedVersion | NotLoaded> => {
        const result = await admission.admit({ model: name, version, config: source });
        await record(result.event);
        if (!result.admitted) return { model: name, version, because: result.because };
        const backend = await openEmbedded(result.network, runtime, {
          name,
          version,
          digest: result.digest,
          batching: {
            most: model.batching.most,
            wait: model.batching.waitMicroseconds,
            longest: model.batching.longestMilliseconds,
            queue: model.batching.queue,
            share: model.batching.share,
          },
          classifier: model.classifier,
          features: around.wantsFeatures(name),
        });
        return loadedVersion(backend, { key, checks: result.checks, recheck: result.recheck });
      };
      const first = await open().catch((thrown) => thrown as unknown);
      if (isLoaded(first)) return first;
      const lacksRoom =
        first instanceof GlacisError
          ? first.code === 'model/too-large'
          : isNotLoaded(first) && /bytes/.test(first.because);
      if (!lacksRoom) {
        if (isNotLoaded(first)) return first;
        throw first;
      }
      await makeRoom();
      return await open();
    } catch (thrown) {
      return refuse(asGlacisError(thrown, 'run/failed', name).message);
    }
  };

  const applyModel = async (name: string, model: ModelConfig, by: string): Promise<readonly NotLoaded[]> => {
    const before = entries.get(name);
    const versions = new Map<string, LoadedVersion>();
    const notLoaded: NotLoaded[] = [];
    for (const [version, source] of versionsOf(model)) {
      const known = before?.versions.get(version);
      if (known && known.key === keyOf(model, source, around.wantsFeatures(name))) {
        versions.set(version, known);
        continue;
      }
      const made = await load(name, version, model, source);
      if (isLoaded(made)) versions.set(version, made);
      else notLoaded.push(made);
    }
    const fresh = [...versions.values()].filter(
      (each) => ![...(before?.versions.values() ?? [])].includes(each),
    );
    const reachable = [...versionsOf(model).values()].some(({ upstream, registry }) => upstream ?? registry);
    if (notLoaded.length > 0 && reachable) unreached.set(name, model);
    else unreached.delete(name);
    const use = model.use ?? [...versionsOf(model).keys()].at(-1)!;
    // All or nothing, once something is in service; a model that begins may begin without its canary.
    if (notLoaded.length > 0 && (before !== undefined || !versions.has(use))) {
      await Promise.all(fresh.map((each) => each.backend.close()));
      return notLoaded;
    }
    const chosen = versions.get(use)!;
    const canary = model.canary && versions.has(model.canary.version) ? model.canary : undefined;
    const current = before?.versions.get(before.use);
    const replaced = current !== undefined && current !== chosen;
    const entry: Entry = {
      config: model,
      versions,
      use,
      canary,
      previous: replaced ? { version: before!.use, loaded: current, since: now() } : before?.previous,
    };
    await inService(name, entry, current, by).catch(async (thrown) => {
      await Promise.all(fresh.map((each) => each.backend.close()));
      throw thrown;
    });
    if (before) letGo(before, entry);
    return notLoaded;
  };

  /** Makes an entry the one that is found. What the log does not hold does not happen. */
  const inService = async (name: string, entry: Entry, current: LoadedVersion | undefined, by: string) => {
    const { use, canary, config: model } = entry;
    const chosen = entry.versions.get(use)!;
    if (current !== chosen || canary)
      await event('model-in-service', by, {
        model: name,
        version: use,
        digest: chosen.backend.digest,
        checks: chosen.checks.map(({ check, by }) => `${check}: ${by}`),
        ...(chosen.backend.notes.length > 0 && { notes: chosen.backend.notes }),
        ...(current && current !== chosen && { before: current.backend.digest }),
        ...(canary && { canary: canary.version, share: canary.share }),
      });
    const shadowed = model.shadow && entry.versions.get(model.shadow.version);
    const shadow =
      shadowed && openShadow(shadowed.backend, model.shadow!.share, (report) => around.onShadow?.(report));
    for (const loaded of entry.versions.values())
      loaded.follow(shadow && loaded !== shadowed ? shadow : undefined);
    entries.set(name, entry);
  };
  /** Retires what is neither in service nor kept for a rollback any more. */
  const letGo = (before: Entry, after: Entry | undefined): void => {
    const wanted = new Set<LoadedVersion>(after?.versions.values());
    if (after?.previous && !after.config.keepPrevious && !wanted.has(after.previous.loaded))
      after.previous = undefined;
    if (after?.previous) wanted.add(after.previous.loaded);
    const had = new Set([...before.versions.values(), ...(before.previous ? [before.previous.loaded] : [])]);
    for (const loaded of had) if (!wanted.has(loaded)) void retire(loaded);
  };

  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    if (!entry) throw new GlacisError('option/invalid', `model: expected one that is served, got '${name}'`);
    return entry;
  };

  const apply = async (next: BackendConfig, by: string): Promise<readonly NotLoaded[]> => {
    if (next.memory !== memory.limit)
      throw new GlacisError(
        'option/invalid',
        'serve.memory: expected the same as at the start; restart to change it',
      );
    admission = revokedFile === next.revoked && admission ? admission : admitWith(next.revoked);
    revokedFile = next.revoked;
    for (const [name, entry] of entries)
      if (!Object.hasOwn(next.models, name)) {
        await event('model-removed', by, { model: name });
        entries.delete(name);
        unreached.delete(name);
        letGo(entry, undefined);
      }
    const notLoaded: NotLoaded[] = [];
    for (const [name, model] of Object.entries(next.models))
      notLoaded.push(...(await applyModel(name, model, by)));
    return notLoaded;
  };
  let revokedFile = config.revoked;
  admission = admitWith(config.revoked);

  const recheckModel = async (name: string, entry: Entry): Promise<void> => {
    let moved = false;
    for (const [version, loaded] of entry.versions) {
      const standing = await loaded.recheck();
      if (standing.stop !== loaded.stopped) {
        // First it is stopped, then it is said: a log that fails must not keep it running.
        loaded.stop(standing.stop);
        const about = { model: name, version, digest: loaded.backend.digest };
        await (standing.stop === undefined
          ? event('model-resumed', 'glacis', about)
          : event('model-stopped', 'glacis', { ...about, because: standing.stop }));
      }
      moved ||= standing.moved === true;
      if (standing.moved) entry.versions.set(version, { ...loaded, key: '', stopped: loaded.stopped });
    }
    if (moved) await applyModel(name, entry.config, 'glacis');
  };

  const backends: Backends = {
    find(model, version, principal) {
      const entry = entries.get(model);
      return entry && versionFor(model, entry, version, principal.id);
    },
    apply: (next, by = 'glacis') => inTurn(() => apply(next, by)),
    rollback: (name, by) =>
      inTurn(async () => {
        const entry = entryOf(name);
        const { previous, use } = entry;
        if (!previous)
          throw new GlacisError(
            'option/invalid',
            `${name}: expected a version before this one, got none in memory`,
          );
        const { stop } = await previous.loaded.recheck();
        if (stop !== undefined)
          throw new GlacisError('registry/refused', `${name} ${previous.version}: ${stop}`);
        previous.loaded.stop(undefined);
        const current = entry.versions.get(use)!;
        const versions = new Map(entry.versions).set(previous.version, previous.loaded);
        const after: Entry = {
          ...entry,
          config: { ...entry.config, canary: undefined },
          versions,
          use: previous.version,
          canary: undefined,
          previous: { version: use, loaded: current, since: now() },
        };
        await event('model-rolled-back', by, { model: name, from: use, to: previous.version });
        await inService(name, after, current, by);
        letGo(entry, after);
      }),
    setCanary: (name, canary, by) =>
      inTurn(async () => {
        const entry = entryOf(name);
        if (canary && (!entry.versions.has(canary.version) || !(canary.share >= 0 && canary.share <= 1)))
          throw new GlacisError(
            'option/invalid',
            `${name}: expected a loaded version and a share from 0 to 1`,
          );
        await event('canary-changed', by, {
          model: name,
          version: canary?.version ?? '',
          share: canary?.share ?? 0,
        });
        entry.canary = canary;
      }),
    recheck: () =>
      inTurn(async () => {
        for (const [name, entry] of [...entries])
          await recheckModel(name, entry).catch((thrown) => failed(name, thrown));
        for (const [name, model] of [...unreached])
          await applyModel(name, model, 'glacis').catch((thrown) => failed(name, thrown));
      }),
    status: () => [...entries].map(([model, entry]) => statusOf(model, entry)),
    memory: () => ({ used: memory.used, limit: memory.limit }),
    async close() {
      clearInterval(timer);
      await turn;
      closing.abort();
      for (const entry of entries.values()) letGo(entry, undefined);
      entries.clear();
      await Promise.all(leaving);
      await runtime.close();
    },
  };
  const timer = setInterval(
    () => void backends.recheck().catch((thrown) => failed('recheck', thrown)),
    config.recheckSeconds * 1000,
  );
  timer.unref();
  try {
    return { backends, notLoaded: await backends.apply(config) };
  } catch (thrown) {
    await backends.close();
    throw thrown;
  }
}

function keyOf(model: ModelConfig, source: VersionConfig, features: boolean): string {
  return JSON.stringify([source, model.batching, model.classifier, features]);
}

function isLoaded(made: unknown): made is LoadedVersion {
  return typeof made === 'object' && made !== null && 'backend' in made;
}

function isNotLoaded(made: unknown): made is NotLoaded {
  return typeof made === 'object' && made !== null && 'because' in made && !('backend' in made);
}

function statusOf(model: string, { use, canary, config, versions, previous }: Entry): ModelStatus {
  return {
    model,
    use,
    canary,
    shadow: config.shadow,
    previous: previous && { version: previous.version, digest: previous.loaded.backend.digest },
    versions: [...versions].map(([version, { backend, checks, stopped }]) => ({
      version,
      digest: backend.digest,
      checks,
      notes: backend.notes,
      stopped,
      load: backend.load(),
    })),
  };
}

/** Waits, or less if it is no longer wanted. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    timer.unref();
    signal.addEventListener('abort', end, { once: true });
  });
}
