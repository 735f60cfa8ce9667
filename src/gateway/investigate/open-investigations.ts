import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { openEvidenceShelf } from '../../incident/evidence/evidence-shelf.ts';
import { type Investigations, openInvestigations } from '../../incident/investigations.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import { type LogTrust, openLog } from '../../ledger/index.ts';
import type { Store } from '../../store/index.ts';
import type { RegistrySurroundings } from '../backend/admission/from-registry.ts';
import type { Backends } from '../backend/open-backends.ts';
import type { ServeConfig } from '../config/serve-schema.ts';
import type { InputGuard } from '../guard.ts';
import { GLACIS } from '../own-principal.ts';
import type { OpenLiveLog } from '../record/live/open-live-log.ts';
import { logFolder, parseTrustFile, wrappingKeyName } from '../record/log-folder.ts';
import type { OpenRecorder } from '../record/open-recorder.ts';
import type { ServedModel } from '../served-model.ts';
import { askServed } from './ask-served.ts';
import { evidenceInRegistry } from './evidence-in-registry.ts';
import { modelsWithData } from './models-with-data.ts';
import { decisionsById } from './past-of-log.ts';
import { searchThreads } from './search-thread.ts';
import { openGuardTrial } from './try-guard.ts';

/** What a gateway hands to those who look into its incidents. */
export interface GatewayInvestigations {
  readonly incidents: Incidents;
  readonly store: Store;
  readonly recorder: OpenRecorder;
  /** Finds decisions by their ids. */
  readonly live: Pick<OpenLiveLog, 'find'>;
  readonly backends: () => Backends;
  readonly config: () => ServeConfig;
  /** The gateway's data folder, and the recorder's in it. */
  readonly dataFolder: string;
  readonly recordFolder: string;
  readonly placeOf: (path: string) => string;
  /** How registries are opened. */
  readonly registries: Pick<RegistrySurroundings, 'folder' | 'env' | 'home'>;
  /** A guard of a model to try on past calls. Errors: `option/invalid`. */
  readonly trialGuard: (model: ServedModel, guard: string) => InputGuard;
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** Opens investigations over a running gateway's own log, models and store. Errors: those of the parts. */
export async function openGatewayInvestigations(given: GatewayInvestigations): Promise<Investigations> {
  const { incidents, store, recorder, live, backends, config, dataFolder, recordFolder, placeOf } = given;
  const { now, failed, trialGuard, registries } = given;
  const trustFile = `${JSON.stringify(recorder.trust, null, 2)}\n`;
  const trust: LogTrust = parseTrustFile(Buffer.from(trustFile), 'log');
  const places = logFolder(recordFolder);
  const reader = () => openLog(recorder.source, trust);
  const find = (model: string, version: string | undefined) => backends().find(model, version, GLACIS);
  const threads = searchThreads(
    {
      ...{ folder: recordFolder, origin: recorder.trust.origin, keys: recorder.trust.keys },
      sealed: config().log.who === 'sealed',
      wrappingKey: await wrappingKeyName(places, config().log.wrappingKey),
    },
    {
      openAsk(model, against) {
        if (model !== undefined && find(model, against) === undefined)
          throw new GlacisError(
            'option/invalid',
            `impact: expected a version of ${model} that is loaded to replay against`,
          );
        return askServed((name) => find(name, against));
      },
      openTrial: (guard) =>
        openGuardTrial({
          find: (name) => find(name, undefined),
          make: (model) => trialGuard(model, guard),
        }),
    },
  );
  const past = decisionsById(async (id) => {
    const found = await live.find(id, true);
    return found && { entry: found.entry, bytes: Buffer.from(found.text) };
  });
  return openInvestigations({
    ...{ incidents, store, past, trustFile, now, failed, ...threads },
    record: (event) => recorder.record(event),
    ledger: { reader, receipt: (index) => recorder.receipt(index) },
    shelf: await openEvidenceShelf(join(dataFolder, 'evidence')),
    log: `${trust.origin} ${trust.keys[0]?.id}`,
    freshId: () => randomBytes(16).toString('hex'),
    models: () => backends().status(),
    modelsWith: (data) =>
      modelsWithData(data, {
        ...{ config: config(), status: backends().status(), placeOf },
        inRegistry: (registry, digest) => evidenceInRegistry(registry, digest, { ...registries, now }),
      }),
    modelsOfFeed: (feed) => modelsOfFeed(config(), feed),
  });
}

/** Models whose guard of feeds watches a feed of this name. */
export function modelsOfFeed(
  { models, guards, only }: Pick<ServeConfig, 'models' | 'guards' | 'only'>,
  feed: string,
): readonly string[] {
  return Object.keys(models).filter((model) => {
    const watched = ((only[model]?.guards ?? guards) as { readonly feeds?: unknown }).feeds as
      | { readonly feeds?: readonly { readonly name: string }[] }
      | undefined;
    return watched?.feeds?.some(({ name }) => name === feed) ?? false;
  });
}
