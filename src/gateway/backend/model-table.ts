import { GlacisError } from '../../core/error.ts';
import type { Event } from '../decision.ts';
import type { ServedModel } from '../served-model.ts';
import { type ModelConfig, versionsOf } from './config-schema.ts';
import type { NotLoaded, Wanted } from './load-version.ts';
import type { LoadedVersion } from './loaded-version.ts';
import { type Routed, versionFor } from './model-routes.ts';
import type { Retirement } from './retirement.ts';
import { openShadow, type ShadowReport } from './shadow.ts';

/** What is served under a name. A change makes a new one. */
export interface Entry extends Routed {
  readonly config: ModelConfig;
  /** Whether somebody rolled back: aliases are not followed until the configuration is applied again. */
  readonly pinned: boolean;
  /** The version before the one in service, kept for a rollback. */
  readonly previous:
    | { readonly version: string; readonly loaded: LoadedVersion; readonly since: number }
    | undefined;
}

/** What a table of models depends on. */
export interface TableSurroundings {
  /** What a version is made from, as text. */
  readonly keyOf: (wanted: Wanted) => string;
  /** Errors: those of the log. */
  readonly load: (wanted: Wanted) => Promise<LoadedVersion | NotLoaded>;
  readonly retirement: Retirement;
  /** Writes an event to the log; what cannot be written does not happen. */
  readonly event: (name: string, by: string, about: Event['about']) => Promise<unknown>;
  readonly now: () => number;
  readonly onShadow: (report: ShadowReport) => void;
}

/** The models that are served, and how they change. The caller sees to it that changes come one after another. */
export interface ModelTable {
  readonly entries: ReadonlyMap<string, Entry>;
  find(model: string, version: string | undefined, principal: string | undefined): ServedModel | undefined;
  /** Serves a model as configured. All of it or, where a version is not loaded and the model is in service already, nothing; versions in `anew` are loaded even if they seem the same. */
  apply(
    name: string,
    config: ModelConfig,
    by: string,
    anew?: ReadonlySet<string>,
  ): Promise<readonly NotLoaded[]>;
  remove(name: string, by: string): Promise<void>;
  /** With `follow`, a rollback is being taken back: aliases are followed as before. */
  rollback(name: string, by: string, options?: { readonly follow?: boolean }): Promise<void>;
  setCanary(name: string, canary: Routed['canary'], by: string): Promise<void>;
  /** Stops what may not be served any more, resumes what may again, follows aliases. */
  recheck(name: string): Promise<void>;
  /** Gives back what is kept for a rollback alone. */
  makeRoom(): Promise<void>;
  /** Lets go of everything. */
  clear(): void;
}

/** An empty table. */
export function modelTable(around: TableSurroundings): ModelTable {
  const { retirement, event, now, load, keyOf, onShadow } = around;
  const entries = new Map<string, Entry>();

  const retire = (loaded: LoadedVersion, since?: number): Promise<void> => {
    const { backend } = loaded;
    return retirement.retire(
      { name: `${backend.name} ${backend.version}`, close: () => backend.close() },
      since,
    );
  };
  const heldBy = (entry: Entry | undefined): ReadonlySet<LoadedVersion> =>
    new Set([...(entry?.versions.values() ?? []), ...(entry?.previous ? [entry.previous.loaded] : [])]);
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry) return entry;
    throw new GlacisError('option/invalid', `model: expected one that is served, got '${name}'`);
  };

  /** Makes `after` what is found under a name, once the log says so; what only `before` held retires. */
  const switchTo = async (name: string, after: Entry, by: string): Promise<void> => {
    const before = entries.get(name);
    const chosen = after.versions.get(after.use)!;
    const current = before?.versions.get(before.use);
    const { canary } = after;
    const told = current === chosen && JSON.stringify(before?.canary) === JSON.stringify(canary);
    if (!told)
      await event('model-in-service', by, {
        model: name,
        version: after.use,
        digest: chosen.backend.digest,
        checks: chosen.checks.map(({ check, by }) => `${check}: ${by}`),
        ...(chosen.backend.notes.length > 0 && { notes: chosen.backend.notes }),
        ...(current && current !== chosen && { before: current.backend.digest }),
        ...(canary && { canary: canary.version, share: canary.share }),
      });
    const { shadow } = after.config;
    const asked = shadow && after.versions.get(shadow.version);
    const follower = asked && openShadow(asked.backend, shadow.share, onShadow);
    for (const loaded of after.versions.values()) loaded.follow(loaded === asked ? undefined : follower);
    entries.set(name, after);
    const kept = heldBy(after);
    for (const loaded of heldBy(before)) if (!kept.has(loaded)) void retire(loaded);
  };

  const apply: ModelTable['apply'] = async (name, config, by, anew = new Set()) => {
    const before = entries.get(name);
    const sources = versionsOf(config);
    const versions = new Map<string, LoadedVersion>();
    const fresh: LoadedVersion[] = [];
    const notLoaded: NotLoaded[] = [];
    const undo = () => Promise.all(fresh.map(({ backend }) => backend.close()));
    try {
      for (const [version, source] of sources) {
        const wanted: Wanted = { model: name, version, config, source };
        const known = before?.versions.get(version);
        const same = known && known.key === keyOf(wanted) && !anew.has(version);
        const made = same ? known : await load(wanted);
        if ('because' in made) notLoaded.push(made);
        else {
          versions.set(version, made);
          if (!same) fresh.push(made);
        }
      }
      const use = config.use ?? [...sources.keys()].at(-1)!;
      // A model that begins may begin without its canary.
      if (notLoaded.length > 0 && (before !== undefined || !versions.has(use))) {
        await undo();
        return notLoaded;
      }
      const current = before?.versions.get(before.use);
      const replaced = current !== undefined && current !== versions.get(use);
      const kept = replaced ? { version: before!.use, loaded: current, since: now() } : before?.previous;
      const canary = config.canary && versions.has(config.canary.version) ? config.canary : undefined;
      await switchTo(
        name,
        { config, versions, use, canary, pinned: false, previous: config.keepPrevious ? kept : undefined },
        by,
      );
      return notLoaded;
    } catch (thrown) {
      await undo();
      throw thrown;
    }
  };

  return {
    entries,
    find(model, version, principal) {
      const entry = entries.get(model);
      return entry && versionFor(model, entry, version, principal);
    },
    apply,
    async remove(name, by) {
      const entry = entries.get(name);
      await event('model-removed', by, { model: name });
      entries.delete(name);
      for (const loaded of heldBy(entry)) void retire(loaded);
    },
    async rollback(name, by, { follow = false } = {}) {
      const entry = entryOf(name);
      const { previous, use, versions } = entry;
      if (!previous)
        throw new GlacisError(
          'option/invalid',
          `${name}: expected a version before this one, got none in memory`,
        );
      const { stop } = await previous.loaded.recheck();
      if (stop !== undefined)
        throw new GlacisError('registry/refused', `${name} ${previous.version}: ${stop}`);
      await event('model-rolled-back', by, { model: name, from: use, to: previous.version });
      previous.loaded.stop(undefined);
      const after: Entry = {
        ...entry,
        use: previous.version,
        versions: new Map(versions).set(previous.version, previous.loaded),
        canary: undefined,
        pinned: !follow,
        previous: { version: use, loaded: versions.get(use)!, since: now() },
      };
      await switchTo(name, after, by);
    },
    async setCanary(name, canary, by) {
      const entry = entryOf(name);
      if (canary && (!entry.versions.has(canary.version) || !(canary.share >= 0 && canary.share <= 1)))
        throw new GlacisError('option/invalid', `${name}: expected a loaded version and a share from 0 to 1`);
      await event('canary-changed', by, {
        model: name,
        version: canary?.version ?? '',
        share: canary?.share ?? 0,
      });
      entries.set(name, { ...entry, canary });
    },
    async recheck(name) {
      const entry = entryOf(name);
      const moved = new Set<string>();
      for (const [version, loaded] of entry.versions) {
        const standing = await loaded.recheck();
        if (standing.moved) moved.add(version);
        if (standing.stop === loaded.stopped) continue;
        const about = { model: name, version, digest: loaded.backend.digest };
        // It is stopped first and resumed last: a log that fails must not keep it running.
        if (standing.stop === undefined) await event('model-resumed', 'glacis', about);
        loaded.stop(standing.stop);
        if (standing.stop !== undefined)
          await event('model-stopped', 'glacis', { ...about, because: standing.stop });
      }
      if (moved.size > 0 && !entry.pinned) await apply(name, entry.config, 'glacis', moved);
    },
    async makeRoom() {
      for (const [name, entry] of entries) {
        const { previous } = entry;
        if (!previous) continue;
        entries.set(name, { ...entry, previous: undefined });
        if (![...entry.versions.values()].includes(previous.loaded))
          void retire(previous.loaded, previous.since);
      }
      await retirement.all();
    },
    clear() {
      for (const entry of entries.values()) for (const loaded of heldBy(entry)) void retire(loaded);
      entries.clear();
    },
  };
}
