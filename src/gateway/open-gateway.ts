import { randomBytes } from 'node:crypto';
import { isAbsolute, join, resolve } from 'node:path';
import { openStore, type Store, sweepStore } from '../store/index.ts';
import { classNames } from './backend/class-names.ts';
import { openBackends } from './backend/open-backends.ts';
import { backendOf, managementTls, ratesOf, reviewsOf, rightsOf, storeOf } from './config/sections.ts';
import { configInForce } from './config-in-force.ts';
import { openAssessments } from './console/assessments/open-assessments.ts';
import { labModels } from './console/lab-models.ts';
import { openDataFolder } from './data-folder.ts';
import type { Event } from './decision.ts';
import { databaseKeys } from './identity/keys/database-keys.ts';
import { openManagementRights } from './identity/management.ts';
import { type Identity, openIdentity } from './identity/open-identity.ts';
import { openRights } from './identity/open-rights.ts';
import { openGatewayInvestigations } from './investigate/open-investigations.ts';
import { openBudgets, openRates } from './limits/index.ts';
import { lostThreadAlarm } from './lost-thread-alarm.ts';
import { managementRoutes } from './manage/management-routes.ts';
import { openManagement } from './manage/open-management.ts';
import { openVeil } from './manage/veil.ts';
import { markCommitment } from './mark-commitment.ts';
import { openModelParts } from './model-parts.ts';
import { openMetrics } from './observe/metrics.ts';
import { openObserver } from './observe/observer.ts';
import { openProcessLog, type ProcessLog } from './observe/process-log.ts';
import { type OpenedParts, openedParts } from './opened-parts.ts';
import { openOperations } from './operations.ts';
import { GLACIS } from './own-principal.ts';
import { openPipeline } from './pipeline.ts';
import { openFaces } from './protocol/index.ts';
import { openLiveLog } from './record/live/open-live-log.ts';
import { openRecorder } from './record/open-recorder.ts';
import { openRefusalFloods } from './refusal-floods.ts';
import { openMarkRegister } from './respond/index.ts';
import type { GatewayOptions, RunningGateway } from './running-gateway.ts';
import { openSettings } from './settings/open-settings.ts';
import { openTiming } from './timing/index.ts';
import { openReviews } from './verify/index.ts';

export type { GatewayOptions, RunningGateway } from './running-gateway.ts';

/** Milliseconds for which a replaced version may still be found by a request that is on its way. */
const GRACE = 30_000;
const MOST_MARKS = 1 << 30;
/** Between two times that guards' memory is kept, in milliseconds. */
const SAVE = 300_000;
/** Between two sweeps of the store, in milliseconds: a server that is started anew every day sweeps, too. */
const SWEEP = 3_600_000;

/**
 * Opens a gateway: store and log first, because nothing is done that is not recorded; then who may do what; then the models, each checked before it is opened; the
 * doors last. What was opened is closed again where something fails. Errors: those of the parts; nothing is served half.
 */
export async function openGateway(options: GatewayOptions): Promise<RunningGateway> {
  const log = options.log ?? openProcessLog();
  const parts = openedParts(log.failed);
  try {
    return await open(options, log, parts);
  } catch (thrown) {
    await parts.closeAll();
    throw thrown;
  }
}

async function open(
  options: GatewayOptions,
  log: ProcessLog,
  { keep, again, closeAll }: OpenedParts,
): Promise<RunningGateway> {
  const { env, home, folder, config: written, policy } = options;
  const placeOf = (path: string) => (isAbsolute(path) ? path : resolve(folder, path));
  const now = Date.now;
  const clock = () => performance.now();
  const metrics = openMetrics();
  const observer = openObserver(metrics, log);
  const { failed } = observer;

  const data = await openDataFolder(options.dataFolder, options.secretFile);
  const { secret } = data;
  const since = now();
  const recordFolder = join(data.path, 'record');
  const underWay = { count: 0 };
  const recorder = keep(await openRecorder(written.log, { folder: recordFolder, now, underWay }));
  const floods = keep(openRefusalFloods({ recorder, clock, failed }));
  let heard: ((event: Event) => void) | undefined;
  const record = async (event: Event): Promise<number> => {
    const entry = await recorder.record(event);
    heard?.(event);
    return entry;
  };
  const store: Store = keep(
    await openStore(storeOf(written, data.path, placeOf), { now, broke: (why) => failed('store', why) }),
  );

  const settings = keep(await openSettings({ store, record, now, failed }));
  const config = settings.over(written);

  const identity: Identity = keep(
    await openIdentity(config.identity, { secret, store: databaseKeys(store), now, clock, failed, placeOf }),
  );
  const rights = await openRights(rightsOf(config, placeOf), { now, clock, failed });
  const management = await openManagementRights(rightsOf(config, placeOf), { now, failed });
  const rates = keep(
    openRates(ratesOf(config, placeOf), {
      changed: (state, because) => log.warn(`shared rates: ${state}`, { because }),
    }),
  );
  const budgets = keep(await openBudgets(config.budgets, { store }));
  again(
    () => parts.save(),
    SAVE,
    (thrown) => failed('guard memory', thrown),
  );
  again(
    () => sweepStore(store, inForce.current().retention, { now: now(), budgetTime: budgets.time() }),
    SWEEP,
    (thrown) => failed('retention', thrown),
  );
  const reviews = openReviews(reviewsOf(config), { store, record, now });
  const operations = keep(
    await openOperations(config, {
      ...{ store, secret, identity, management, observer, now, clock, env, home, placeOf, record },
      dataFolder: data.path,
      budgetShare: budgets.share,
      backends: () => backends,
      parts: () => parts,
      find: (model, version) => backends.find(model, version, GLACIS),
    }),
  );
  const live = keep(await openLiveLog(config.log, { folder: recordFolder, trust: recorder.trust, failed }));
  const { containment } = operations;
  heard = operations.heard;
  const reports = config.console.assessments;
  const assessments = reports === undefined ? undefined : keep(openAssessments(placeOf(reports)));
  if (options.lab) keep(options.lab);
  const marks = keep(
    await openMarkRegister(join(data.path, 'marks.jsonl'), { mostBytes: MOST_MARKS, now, failed }),
  );
  const timing = keep(openTiming(config.timing, { clock, missed: () => metrics.overrun() }));

  const parts = keep(
    openModelParts(config, {
      secret,
      now,
      failed,
      reviews,
      marks,
      memoryFolder: join(data.path, 'guards'),
      placeOf,
      find: (model, version) => backends.find(model, version, GLACIS),
    }),
  );
  const commitMarks = markCommitment(secret, { record, now });
  const inForce = configInForce(
    { config: written, policy },
    { current: config, reread: options.reread },
    {
      ...{
        settings,
        rights,
        management,
        identity,
        rates,
        budgets,
        operations,
        parts,
        record,
        now,
        commitMarks,
      },
      backends: () => backends,
      renewTls: () => faces.renewTls(),
    },
  );
  const { backends, notLoaded } = await openBackends(backendOf(config), {
    ...{ folder, env, home, now, record, failed },
    policy: inForce.policy,
    wantsFeatures: parts.wantsFeatures,
    explains: parts.explains,
    prepare: parts.prepare,
    grace: GRACE,
    frozen: () => containment.frozen(),
    onLost: (lost) =>
      operations.raise(lostThreadAlarm(lost, { id: randomBytes(16).toString('hex'), now: now() })),
    onShadow: ({ model, n, agreed, failed: none }) =>
      metrics.shadow(model, { n, agreed, failed: none !== undefined }),
  });
  keep(backends);
  containment.start();
  settings.start(inForce.put, inForce.written);
  const investigations = keep(
    await openGatewayInvestigations({
      ...{ store, recorder, live, recordFolder, placeOf, now, failed },
      registries: { folder, env, home },
      incidents: operations.incidents,
      dataFolder: data.path,
      backends: () => backends,
      config: inForce.current,
      trialGuard: parts.trialGuard,
    }),
  );

  const { subject } = config.log;
  const gateway = openPipeline({
    ...{ identifier: identity, rights, rates, budgets, recorder, floods, now, clock, underWay },
    observer: operations.observer,
    orders: containment.calls,
    routes: backends,
    guards: parts.guards,
    answers: parts.answers,
    verifier: parts.verifier,
    schedule: timing,
    limits: { mostBytes: config.mostBytes, mostSamples: config.mostSamples, timeout: config.timeout },
    subjectOf:
      subject === 'principal'
        ? undefined
        : (given) => (Object.hasOwn(given, subject.parameter) ? String(given[subject.parameter]) : undefined),
  });

  let ended: () => void;
  const closed = new Promise<void>((resolve) => {
    ended = resolve;
  });
  let draining: Promise<void> | undefined;
  const drain = (): Promise<void> => {
    draining ??= (async () => {
      await faces.drain();
      await record({ kind: 'event', at: now(), event: 'server-stopped', by: 'glacis', about: {} }).catch(
        () => {},
      );
      await closeAll();
      ended();
    })();
    return draining;
  };

  const faces = keep(
    await openFaces(gateway, config.listen, { padding: timing.padTo(1) > 1 ? timing : undefined }),
  );
  const routes = managementRoutes({
    ...{ metrics, recorder, store, rights, management, settings, backends, budgets, reviews },
    keys: identity.keys,
    server: { reload: inForce.reload, drain: () => void setImmediate(drain), config: inForce.current },
    ...{ operations, live, since, investigations },
    lab: { lab: options.lab, models: () => labModels({ backends, config: inForce.current, placeOf }), now },
    assessments,
    veil: config.log.who === 'sealed' ? openVeil(secret) : undefined,
    classNames: classNames(inForce.current, {
      ...{ placeOf, failed },
      inModel: (model) => backends.find(model, undefined, GLACIS)?.classifier?.names,
    }),
    policy: { file: options.file, folder, policy: inForce.policy },
    ...{ guards: parts.guards, trialGuard: parts.trialGuard },
    notLoaded,
    config: inForce.current,
    now,
  });
  const { host, port, socket } = config.management;
  const managed = keep(
    await openManagement(socket === undefined ? { host, port } : { socket: placeOf(socket) }, {
      routes,
      identifier: identity,
      allows: management.may,
      record,
      failed,
      now,
      tls: await managementTls(config, placeOf),
      door: operations.console.door,
    }),
  );
  await commitMarks(config);
  await record({
    kind: 'event',
    at: now(),
    event: 'server-started',
    by: 'glacis',
    about: {
      models: backends.status().map(({ model }) => model),
      notLoaded: notLoaded.map(({ model }) => model),
    },
  });
  return {
    addresses: { ...faces.addresses, management: managed.address },
    notLoaded,
    models: () => backends.status(),
    keys: identity.keys,
    isNew: data.isNew,
    trustFile: join(recordFolder, 'log.trust.json'),
    reload: inForce.reload,
    drain,
    closed,
    lostThreads: () => backends.lostThreads(),
  };
}
