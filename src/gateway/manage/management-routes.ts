import { CASE_STATES, type Case } from '../../incident/case.ts';
import type { Investigations } from '../../incident/investigations.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import type { Policy } from '../../policy/read-policy.ts';
import type { Store } from '../../store/index.ts';
import type { ClassNames } from '../backend/class-names.ts';
import type { NotLoaded } from '../backend/load-version.ts';
import type { Backends } from '../backend/open-backends.ts';
import type { ServeConfig } from '../config/serve-schema.ts';
import type { Assessments } from '../console/assessments/open-assessments.ts';
import type { InputGuard } from '../guard.ts';
import type { KeyDesk } from '../identity/keys/key-desk.ts';
import type { ManagementRights } from '../identity/management.ts';
import type { GatewayRights } from '../identity/open-rights.ts';
import type { OpenBudgets } from '../limits/index.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Operations } from '../operations.ts';
import { GLACIS } from '../own-principal.ts';
import type { OpenLiveLog } from '../record/live/open-live-log.ts';
import type { OpenRecorder } from '../record/open-recorder.ts';
import type { ServedModel } from '../served-model.ts';
import type { Settings } from '../settings/open-settings.ts';
import type { Reviews } from '../verify/reviews.ts';
import { alertRoutes } from './alert-routes.ts';
import { assessmentRoutes } from './assessment-routes.ts';
import { budgetRoutes } from './budget-routes.ts';
import { decisionRoutes } from './decision-routes.ts';
import { type Health, healthRoutes } from './health-routes.ts';
import { incidentRoutes } from './incident-routes.ts';
import { inputRoutes } from './input-routes.ts';
import { investigationRoutes } from './investigation-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { type LabParts, labRoutes } from './lab-routes.ts';
import { logRoutes } from './log-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { monitorRoutes } from './monitor-routes.ts';
import { orderRoutes } from './order-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { policyRoutes } from './policy-routes.ts';
import { reviewRoutes } from './review-routes.ts';
import type { ManagementRoute } from './route.ts';
import { listRoute, type ServerActs, serverRoutes } from './server-routes.ts';
import { settingsRoutes } from './settings-routes.ts';
import { trafficRoutes } from './traffic-routes.ts';
import { unveiledIncidents, type Veil } from './veil.ts';
import { watchNumbers } from './watched-numbers.ts';

/** The parts of a gateway that are looked at and acted on. */
export interface ManagedParts {
  readonly metrics: Metrics;
  readonly recorder: OpenRecorder;
  readonly store: Store;
  readonly rights: GatewayRights;
  readonly management: ManagementRights;
  readonly backends: Backends;
  readonly budgets: OpenBudgets;
  readonly reviews: Reviews;
  readonly keys: KeyDesk;
  readonly server: Omit<ServerActs, 'policies'>;
  readonly operations: Operations;
  /** What was changed while the server ran. */
  readonly settings: Settings;
  readonly investigations: Investigations;
  /** The log, to be searched. */
  readonly live: OpenLiveLog;
  /** When this server started, milliseconds since 1970. */
  readonly since: number;
  readonly lab: Pick<LabParts, 'lab' | 'models' | 'now'>;
  /** Names of the classes of models. */
  readonly classNames: ClassNames;
  readonly assessments: Assessments | undefined;
  readonly guards: (model: ServedModel) => readonly InputGuard[];
  readonly trialGuard: (model: ServedModel, guard: string) => InputGuard;
  readonly notLoaded: readonly NotLoaded[];
  /** The file of the configuration with the policy in force. */
  readonly policy: {
    readonly file: string | undefined;
    readonly folder: string;
    readonly policy: () => Policy | undefined;
  };
  readonly config: () => ServeConfig;
  readonly now: () => number;
  /** Names of callers for those who may not open what the log seals; undefined where it seals nobody. */
  readonly veil: Veil | undefined;
}

/** Held answers that are counted, and cases of the overview. */
const MOST_COUNTED = 1000;
const MOST_CASES = 20;

/** Everything that the management side can do, with the list of it. */
export function managementRoutes(parts: ManagedParts): readonly ManagementRoute[] {
  const { metrics, rights, management, backends, operations, config, now, veil } = parts;
  const { containment, incidents, monitors, rollups } = operations;
  const health = () => healthOf(parts);
  const versionOf = (model: string, version: string | undefined) => backends.find(model, version, GLACIS);
  const seen = veil ? unveiledIncidents(incidents, veil) : incidents;
  watchNumbers(metrics, { backends, budgets: parts.budgets, incidents });
  const routes = [
    ...healthRoutes(health, metrics),
    ...modelRoutes(backends, { incidents, classNames: parts.classNames }),
    ...keyRoutes(parts.keys, now),
    ...peopleRoutes(parts),
    ...budgetRoutes(parts.budgets),
    ...reviewRoutes(parts.reviews),
    ...logRoutes({
      source: parts.recorder.source,
      async erase(subject, by) {
        const had = await parts.recorder.erase(subject, by);
        await rollups.forget(subject);
        return had;
      },
    }),
    ...settingsRoutes(parts.settings),
    ...assessmentRoutes(parts.assessments),
    ...labRoutes({
      ...parts.lab,
      find: versionOf,
      kept: (id) => parts.live.input(id),
      classNames: parts.classNames,
    }),
    ...policyRoutes({
      ...parts.policy,
      ...{ config, backends, rights, management, now },
      ...{ guards: parts.guards, trialGuard: parts.trialGuard },
      notLoaded: () => parts.notLoaded,
      orders: () => containment.active(),
    }),
    ...decisionRoutes(parts.live, parts.recorder),
    ...inputRoutes({
      live: parts.live,
      find: versionOf,
      rangeOf: (model) => config().console.lab.models[model]?.range,
    }),
    ...orderRoutes({ incidents, live: parts.live, now, veil }),
    ...incidentRoutes(seen, parts.investigations),
    ...investigationRoutes(seen, parts.investigations),
    ...trafficRoutes({
      ...{ rollups, containment, now, health, veil },
      ...{ budgets: parts.budgets, live: parts.live, since: parts.since },
      models: () => backends.status(),
      alarmed: operations.alarmed,
      cases: () => openCases(incidents),
      casesOf: (principal) => incidents.casesOf(principal),
      holderOf: (credential) => parts.keys.find(credential)?.principal,
      reviews: async () => (await parts.reviews.list({ state: 'open', most: MOST_COUNTED })).length,
    }),
    ...monitorRoutes({
      monitors,
      classNames: parts.classNames,
      now,
    }),
    ...alertRoutes(operations.alerts),
    ...operations.console.routes,
    ...serverRoutes({
      ...parts.server,
      policies: () => ({
        rights: rights.policies,
        management: management.policies,
        problems: [rights.problem, management.problem].filter((each) => each !== undefined).map(String),
      }),
    }),
  ];
  return [...routes, listRoute(routes)];
}

/** Cases that are not closed, the newest first. */
async function openCases(incidents: Incidents): Promise<readonly Case[]> {
  const states = CASE_STATES.filter((state) => state !== 'closed');
  const pages = await Promise.all(states.map((state) => incidents.list({ state, most: MOST_CASES })));
  return pages
    .flatMap(({ rows }) => rows)
    .toSorted((a, b) => b.updated - a.updated)
    .slice(0, MOST_CASES);
}

function healthOf({
  recorder,
  store,
  rights,
  management,
  backends,
  operations,
}: ManagedParts): readonly Health[] {
  const part = (name: string, because: unknown): Health => ({
    part: name,
    ok: because === undefined,
    because: because === undefined ? undefined : String(because),
  });
  return [
    part('log', recorder.broken),
    part('store', store.broken?.message),
    part('policies', rights.problem),
    part('policies of the management side', management.problem),
    part('runtime', backends.broken()),
    part('alerts', operations.alerts.problem),
    ...backends
      .status()
      .map(({ model, versions }) =>
        part(`model ${model}`, versions.find(({ stopped }) => stopped !== undefined)?.stopped),
      ),
  ];
}
