import { randomBytes } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { storeOf } from '../../gateway/config/sections.ts';
import type { ServeConfig } from '../../gateway/config/serve-schema.ts';
import { orderStore } from '../../gateway/contain/order-store.ts';
import { openGoodFile } from '../../gateway/investigate/good-file.ts';
import { keptInputs } from '../../gateway/investigate/kept-inputs.ts';
import { decisionsById, pastOfLog } from '../../gateway/investigate/past-of-log.ts';
import { replayKept } from '../../gateway/investigate/replay-kept.ts';
import { incidentRoutes } from '../../gateway/manage/incident-routes.ts';
import { investigationRoutes } from '../../gateway/manage/investigation-routes.ts';
import type { ManagementRoute } from '../../gateway/manage/route.ts';
import { archivedRanges, firstEntry } from '../../gateway/record/archive.ts';
import { subjectNames } from '../../gateway/record/live/subject-names.ts';
import { logFolder } from '../../gateway/record/log-folder.ts';
import { openLogIndex } from '../../gateway/record/log-index.ts';
import { type OpenRecorder, openRecorder } from '../../gateway/record/open-recorder.ts';
import { openEvidenceShelf } from '../../incident/evidence/evidence-shelf.ts';
import { searchHere } from '../../incident/impact/search-here.ts';
import { openInvestigations } from '../../incident/investigations.ts';
import type { LedgerEvent } from '../../incident/ledger-event.ts';
import { openIncidents } from '../../incident/open-incidents.ts';
import type { Containment, Order } from '../../incident/order.ts';
import { runWhatIf } from '../../incident/what-if/run-what-if.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { Given } from '../args.ts';
import { openFrom, subjectsFrom } from '../log/open-log.ts';
import { configOf } from '../serve-config.ts';
import type { Desk } from './desk.ts';

/**
 * Incidents of a data folder, beside a server or without one. Reading needs nothing; whatever writes needs the log, which a running server has: then it fails with `ledger/locked`.
 * Measures need a server. Errors: `option/invalid` where there is no store, those of store and log.
 */
export async function folderDesk(given: Given, signal: AbortSignal): Promise<Desk> {
  const dataDir = resolve(given.text('data-dir') ?? 'glacis-data');
  const { config, folder } = await configOf(given.text('config'));
  const place = storeOf(config, dataDir, (path) => resolve(folder, path));
  // Opening would make a store: whoever mistypes a folder would see one without cases.
  if (place.kind === 'sqlite' && (await lstat(place.file).catch(() => undefined)) === undefined)
    throw new GlacisError(
      'option/invalid',
      `${place.file}: expected the store of a server, got nothing; --data-dir names its folder, or --url its address`,
    );
  const store = await openStore(place, { migrations: 'none' });
  try {
    return await deskOver(store, { config, dataDir, given, signal });
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

async function deskOver(
  store: Store,
  {
    config,
    dataDir,
    given,
    signal,
  }: {
    readonly config: ServeConfig;
    readonly dataDir: string;
    readonly given: Given;
    readonly signal: AbortSignal;
  },
): Promise<Desk> {
  const recordFolder = join(dataDir, 'record');
  const { log, places = logFolder(recordFolder), archived } = await openFrom(given, recordFolder);
  const by = given.text('by') ?? 'glacis incident';
  const now = Date.now;
  let recorder: OpenRecorder | undefined;
  const written = async (): Promise<OpenRecorder> => {
    recorder ??= await openRecorder(config.log, { folder: recordFolder });
    return recorder;
  };
  const record = async (event: LedgerEvent) => (await written()).record(event);
  const reader = async () => (recorder === undefined ? log : (await openFrom(given, recordFolder)).log);
  const index = openLogIndex(places.index);
  let isIndexed = false;
  const failed = (where: string, thrown: unknown) => {
    throw new GlacisError('run/failed', `${where}: ${thrown instanceof Error ? thrown.message : thrown}`, {
      cause: thrown,
    });
  };
  const incidents = openIncidents(config.incidents, {
    ...{ store, record, now, failed },
    containment: readOnly(store),
    freshId: () => randomBytes(16).toString('hex'),
    notify: () => {},
  });
  const names = subjectNames(() => subjectsFrom(given, places), places.subjects);
  const past = pastOfLog({ reader, first: firstEntry(archived), names });
  const byId = decisionsById(async (id) => {
    const first = firstEntry(await archivedRanges(places));
    if (!isIndexed) await index.catchUp(log, async () => undefined, { first, signal });
    isIndexed = true;
    for await (const found of index.search(log, { id, limit: 4 }, async () => undefined))
      return { entry: found.index, bytes: await log.entry(found.index) };
    return undefined;
  });
  const on = given.text('on');
  const good = on === undefined ? undefined : await openGoodFile(on, { failed });
  const openReplay =
    good && (async () => replayKept(keptInputs({ reader, names, payloads: places.payloads }), good.ask));
  const investigations = await openInvestigations({
    ...{ incidents, store, past: byId, record, now, failed },
    search: searchHere({ past, now, openReplay }),
    replayWhatIf: (id, scope, change, watch) => runWhatIf(id, scope, change, { past, now, ...watch }),
    ledger: {
      reader,
      receipt: async (entry) => (recorder === undefined ? log.prove(entry) : recorder.receipt(entry)),
    },
    trustFile: await readFile(places.trustFile, 'utf8'),
    shelf: await openEvidenceShelf(join(dataDir, 'evidence')),
    // Searches of the server are not gone on with here.
    log: `folder ${process.pid}`,
    freshId: () => randomBytes(16).toString('hex'),
    models: () => [],
  });
  const routes = [
    ...incidentRoutes(incidents, investigations),
    ...investigationRoutes(incidents, investigations),
  ];
  return {
    against: good?.digest,
    async call(method, path, body) {
      const url = new URL(path, 'http://desk');
      const found = routeFor(routes, method, url.pathname);
      if (found === undefined)
        return { status: 404, json: { error: 'no such route' }, bytes: new Uint8Array() };
      const answer = await found.route.run({
        params: found.params,
        query: Object.fromEntries(url.searchParams),
        body: found.route.body?.parse(body ?? {}),
        by: { id: by, tenant: 'local', credential: 'none', kind: 'key', roles: [] },
        may: () => true,
        signal,
        knock: { method, path, headers: {}, address: '', isSecure: false },
      });
      await investigations.impacts.idle();
      await investigations.whatIfs.idle();
      const bytes = 'bytes' in answer ? Buffer.from(answer.bytes as Uint8Array) : Buffer.alloc(0);
      return { status: answer.status ?? 200, json: 'json' in answer ? answer.json : undefined, bytes };
    },
    async close() {
      await investigations.close();
      await good?.close();
      await incidents.close();
      index.close();
      await recorder?.close();
      await store.close();
    },
  };
}

/** Measures of the store, to be looked at. */
function readOnly(store: Store): Containment {
  const orders = orderStore(store);
  const needed = () =>
    new GlacisError(
      'option/invalid',
      'incident: expected a running server for measures; --url names its management side',
    );
  return {
    active: () => [],
    list: async (query): Promise<readonly Order[]> => (await orders.list(query)).map(({ order }) => order),
    order: async () => {
      throw needed();
    },
    lift: async () => {
      throw needed();
    },
  };
}

function routeFor(
  routes: readonly ManagementRoute[],
  method: string,
  path: string,
): { readonly route: ManagementRoute; readonly params: Readonly<Record<string, string>> } | undefined {
  const steps = path.split('/');
  for (const route of routes) {
    const wanted = route.path.split('/');
    if (route.method !== method || wanted.length !== steps.length) continue;
    if (!wanted.every((step, i) => step.startsWith(':') || step === steps[i])) continue;
    const params = wanted.flatMap((step, i) =>
      step.startsWith(':') ? [[step.slice(1), decodeURIComponent(steps[i]!)] as const] : [],
    );
    return { route, params: Object.fromEntries(params) };
  }
  return undefined;
}
