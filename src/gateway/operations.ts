import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { type Alerts, openAlerts } from '../incident/alerts/open-alerts.ts';
import { listCases } from '../incident/listing.ts';
import { type Incidents, openIncidents } from '../incident/open-incidents.ts';
import type { Alarm } from '../monitor/alarm.ts';
import { readMonitorCalibration } from '../monitor/calibration-file.ts';
import { monitorsSetting } from '../monitor/config-schema.ts';
import type { MonitoredModel } from '../monitor/hub/monitored-model.ts';
import { type Monitors, type MonitorsSetting, openMonitors } from '../monitor/hub/open-monitors.ts';
import type { Store } from '../store/index.ts';
import type { Backends } from './backend/open-backends.ts';
import { consoleAddress } from './config/sections.ts';
import type { ServeConfig } from './config/serve-schema.ts';
import { type Console, openConsole } from './console/open-console.ts';
import { freezeRegistries } from './contain/freeze-registries.ts';
import { type OpenContainment, openContainment } from './contain/open-containment.ts';
import { standInFor } from './contain/stand-in.ts';
import type { Decision, Event } from './decision.ts';
import type { ManagementRights } from './identity/management.ts';
import type { Identity } from './identity/open-identity.ts';
import type { ModelParts } from './model-parts.ts';
import {
  openRollups,
  type RollupSurroundings,
  type Rollups,
  withRollups,
} from './observe/rollups/open-rollups.ts';
import { checkedConnect } from './outbound/checked-connect.ts';
import { checkedRequest } from './outbound/checked-request.ts';
import { GLACIS } from './own-principal.ts';
import { decisionRow } from './record/live/decision-row.ts';
import type { ServedModel } from './served-model.ts';
import type { Observer } from './stages.ts';

/** What watching and steering stand on. Backends and parts of models are opened later: they are asked for when they are needed. */
export interface OperationsSurroundings {
  readonly store: Store;
  readonly secret: Uint8Array;
  readonly dataFolder: string;
  readonly identity: Identity;
  readonly management: ManagementRights;
  readonly backends: () => Backends;
  readonly parts: () => ModelParts;
  readonly find: (model: string, version?: string) => ServedModel | undefined;
  readonly record: (event: Event) => Promise<number>;
  readonly observer: Observer;
  /** The share of its fullest budget that a client has used. */
  readonly budgetShare: NonNullable<RollupSurroundings['budgetShare']>;
  readonly now: () => number;
  readonly clock: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home. */
  readonly home: string;
  readonly placeOf: (path: string) => string;
}

/** What watches a gateway, what can be done about what it sees, and the pages that show it. */
export interface Operations {
  /** Hears of every call. */
  readonly observer: Observer;
  readonly rollups: Rollups;
  readonly containment: OpenContainment;
  readonly incidents: Incidents;
  readonly monitors: Monitors;
  readonly console: Console;
  readonly alerts: Alerts;
  /** Reads other sign-ins, receivers of alerts and monitors; the function that it gives puts them in force and cannot fail. Errors: `option/invalid`, those of reading what monitors rest on. */
  prepare(config: ServeConfig): Promise<() => void>;
  /** Takes an alarm of a part of the gateway, as it takes those of monitors. */
  raise(alarm: Alarm): void;
  /** Whether something was wrong with a model within the last minutes. */
  alarmed(model: string): boolean;
  /** Hears of what was written into the log beside calls: open pages ask anew. */
  heard(event: Event): void;
  close(): Promise<void>;
}

/** Milliseconds since the opening of a case in which a restart still tells of it, where nobody was told. */
const RECENT = 86_400_000;
const MOST_RECENT = 100;
/** A model counts as alarmed this many milliseconds after its last alarm. */
const ALARMED = 600_000;
/** Which pages an event of the log concerns. */
const SHOWN_AS = [
  [/^(model|models|canary|shadow|server)-/, 'models'],
  [/^review-/, 'reviews'],
  [/^(reloaded|guard|budget|rate|limit)/, 'policy'],
  [/^(key|principal)-/, 'keys'],
] as const;
/** Decisions that open pages are shown in a second, at most: nobody reads more. */
const SHOWN = 20;

/**
 * Opens what watches and steers a gateway: sums of its traffic, measures in force, monitors in a thread of their own, cases that form from their alarms, and the console that shows
 * all of it. Nothing here can hold up a call: monitors that are behind drop what they cannot take, and a page that reads slowly loses its stream. Errors: those of the parts.
 */
export async function openOperations(
  config: ServeConfig,
  around: OperationsSurroundings,
): Promise<Operations> {
  const { store, secret, identity, management, record, now, clock, env, placeOf, find } = around;
  const { failed } = around.observer;
  const sealed = config.log.who === 'sealed';
  const rollups = openRollups({ store, secret, now, failed, budgetShare: around.budgetShare });
  const containment = await openContainment({
    ...{ store, record, now, clock, failed, find },
    freezeRegistries: freezeRegistries(config.contain, { placeOf, env, home: around.home, now }),
    models: () => around.backends().status(),
    rollback: (model, by, options) => around.backends().rollback(model, by, options),
    guards: (model) => around.parts().guards(model),
    standInFor: (model) => {
      const second = around.parts().second(model);
      if (second === undefined)
        throw new GlacisError('option/invalid', `verify: expected a second model of ${model.name}, got none`);
      return standInFor(model, second);
    },
  });
  const pages = await openConsole(config.console, {
    ...{ store, secret, identity, record, now, clock, failed, env, placeOf },
    issuers: config.identity.issuers,
    may: management.may,
  });
  const freshId = () => randomBytes(16).toString('hex');
  const alerts = await openAlerts(config.alerts, {
    ...{ store, now, failed, env, placeOf, freshId },
    transmit: checkedRequest,
    connect: checkedConnect,
    address: consoleAddress(config),
    random: Math.random,
    recent: async () => {
      const { rows } = await listCases(store.reader, { most: MOST_RECENT });
      return rows.filter(({ opened }) => now() - opened < RECENT);
    },
  });
  const incidents = openIncidents(config.incidents, {
    ...{ store, record, containment, now, failed, freshId },
    sealed,
    notify: (change) => {
      alerts.notify(change);
      if (change.kind === 'alarm') pages.publish({ kind: 'alarm', alarm: change.alarm });
      pages.publish({ kind: 'case', case: change.case });
    },
  });
  /** By model; as many as there are in service. */
  const lastAlarm = new Map<string, number>();
  const watching = async ({ monitors: chosen }: ServeConfig): Promise<MonitorsSetting> => {
    const { measured } = chosen;
    return monitorsSetting(
      chosen,
      measured === undefined ? {} : await readMonitorCalibration(placeOf(measured)),
    );
  };
  const raise = (alarm: Alarm): void => {
    lastAlarm.set(alarm.model, now());
    void incidents.raise(alarm);
  };
  const monitors = openMonitors(await watching(config), {
    folder: join(around.dataFolder, 'monitors'),
    describe: (model, digest) => monitored(around.backends(), model, digest),
    onAlarm: raise,
    failed,
    now,
  });
  const unheard = [
    rollups.onSecond((second) => pages.publish({ kind: 'traffic', ...second })),
    containment.onChange((order) => {
      pages.publish({ kind: 'order', order });
      incidents.note(order).catch((thrown) => failed('incidents', thrown));
    }),
  ];
  const shown = { second: 0, count: 0 };
  /** Open pages see the first decisions of each second. */
  const show = (decision: Decision, entry: number | undefined): void => {
    if (entry === undefined || !pages.wants('decision')) return;
    const second = Math.floor(decision.at / 1000);
    shown.count = second === shown.second ? shown.count + 1 : 1;
    shown.second = second;
    // What the log seals is not shown to those who may only read the log.
    const who = sealed ? undefined : decision;
    if (shown.count <= SHOWN) pages.publish({ kind: 'decision', row: decisionRow(entry, { decision }, who) });
  };
  const counting = withRollups(around.observer, rollups);
  return {
    ...{ rollups, containment, incidents, monitors, alerts, console: pages },
    async prepare(next) {
      const ready = [
        await pages.prepare(next.console, next.identity.issuers),
        await alerts.prepare(next.alerts),
      ];
      const watched = await watching(next);
      return () => {
        monitors.reload(watched);
        for (const putInForce of ready) putInForce();
      };
    },
    observer: {
      ...counting,
      decided(decision, ended) {
        counting.decided(decision, ended);
        monitors.see({ ...decision, entry: ended.entry }, ended.floats?.());
        show(decision, ended.entry);
      },
    },
    raise,
    alarmed: (model) => now() - (lastAlarm.get(model) ?? Number.NEGATIVE_INFINITY) < ALARMED,
    heard({ event }) {
      const kind = SHOWN_AS.find(([start]) => start.test(event))?.[1];
      if (kind !== undefined) pages.publish({ kind });
    },
    async close() {
      for (const stop of unheard) stop();
      await monitors.close();
      await incidents.close();
      await alerts.close();
      pages.close();
      await containment.close();
      await rollups.close();
    },
  };
}

/** What monitors must know of a version in service. */
function monitored(
  backends: Backends,
  model: string,
  digest: string | undefined,
): MonitoredModel | undefined {
  const status = backends.status().find((each) => each.model === model);
  const version = status?.versions.find((each) => each.digest === digest);
  if (version === undefined) return undefined;
  const served = backends.find(model, version.version, GLACIS);
  const { classifier } = served ?? {};
  const input = version.metadata.inputs.find(({ name }) => name === classifier?.input);
  return {
    ...{ model, digest, version: version.version },
    classes: classifier?.classes,
    sampleDims: classifier?.sampleDims,
    datatype: input?.datatype,
  };
}
