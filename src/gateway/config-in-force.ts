import { GlacisError } from '../core/error.ts';
import type { Policy } from '../policy/read-policy.ts';
import type { Backends } from './backend/open-backends.ts';
import { backendOf, unchangeable } from './config/sections.ts';
import type { ServeConfig } from './config/serve-schema.ts';
import type { Event } from './decision.ts';
import type { ManagementRights } from './identity/management.ts';
import type { Identity } from './identity/open-identity.ts';
import type { GatewayRights } from './identity/open-rights.ts';
import type { OpenBudgets, OpenRates } from './limits/index.ts';
import type { ModelParts } from './model-parts.ts';
import type { Operations } from './operations.ts';
import type { Settings } from './settings/open-settings.ts';

/** What a gateway was told, by its file and since. */
export interface Told {
  readonly config: ServeConfig;
  /** The policy of the same file, if it has one. */
  readonly policy?: Policy | undefined;
}

/** The configuration that a gateway goes by, and how it becomes another. */
export interface ConfigInForce {
  /** That of the file with what was changed since. */
  readonly current: () => ServeConfig;
  /** As it is in the file. */
  readonly written: () => ServeConfig;
  readonly policy: () => Policy | undefined;
  /** Puts guards, budgets and rates in force: all of them, or none. Errors: those of the parts. */
  put(next: ServeConfig): Promise<void>;
  /** Reads file and policies again: what can refuse comes first, and models that are not admitted stay as they were. Errors: `policy/invalid`, `option/invalid`; then nothing has changed. */
  reload(by: string): Promise<object>;
}

/** What is changed by another configuration. */
export interface ConfiguredParts {
  readonly settings: Settings;
  readonly rights: GatewayRights;
  readonly management: ManagementRights;
  readonly identity: Identity;
  readonly rates: OpenRates;
  readonly budgets: OpenBudgets;
  readonly operations: Operations;
  readonly parts: ModelParts;
  /** Opened after this. */
  readonly backends: () => Backends;
  /** Fixes what marks in answers rest on, where these settings are the first to mark any. */
  readonly commitMarks: (config: ServeConfig) => Promise<void>;
  /** Reads certificates again. */
  readonly renewTls: () => Promise<void>;
  readonly record: (event: Event) => Promise<number>;
  readonly now: () => number;
}

/** Goes by `first`. `reread` reads the file again; undefined where there is none. */
export function configInForce(
  first: Told,
  {
    reread,
    current = first.config,
  }: { readonly reread: (() => Promise<Told>) | undefined; readonly current?: ServeConfig },
  around: ConfiguredParts,
): ConfigInForce {
  const { settings, rights, management, identity, rates, budgets, operations, parts } = around;
  let [written, policy, config] = [first.config, first.policy, current];
  const put = async (next: ServeConfig): Promise<void> => {
    const changes = JSON.stringify(config.budgets) !== JSON.stringify(next.budgets);
    if (changes) await budgets.change(next.budgets);
    try {
      parts.reload(next);
    } catch (thrown) {
      if (changes) await budgets.change(config.budgets);
      throw thrown;
    }
    rates.change(next.rates.limits);
    config = next;
  };
  return {
    current: () => config,
    written: () => written,
    policy: () => policy,
    put,
    async reload(by) {
      if (reread === undefined)
        throw new GlacisError(
          'option/invalid',
          'reload: expected a configuration file, but the server was started without one',
        );
      const next = await reread();
      unchangeable(written, next.config);
      const ready = [
        await rights.prepare(),
        await management.prepare(),
        await identity.prepare(next.config.identity),
        await operations.prepare(next.config),
      ];
      await around.commitMarks(next.config);
      await put(settings.over(next.config));
      written = next.config;
      operations.incidents.reload(next.config.incidents);
      for (const use of ready) use();
      policy = next.policy;
      const refused = await around.backends().apply(backendOf(next.config), by);
      await around.renewTls();
      await around.record({
        kind: 'event',
        at: around.now(),
        event: 'reloaded',
        by,
        about: { refused: refused.length, rights: rights.digest, management: management.digest },
      });
      return { reloaded: true, notLoaded: refused };
    },
  };
}
