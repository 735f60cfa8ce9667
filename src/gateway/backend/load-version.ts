import { asGlacisError, type ErrorCode, GlacisError } from '../../core/error.ts';
import type { Policy } from '../../policy/read-policy.ts';
import type { Event } from '../decision.ts';
import type { ServedModel } from '../served-model.ts';
import type { Admission } from './admission/admit.ts';
import type { ModelConfig, VersionConfig } from './config-schema.ts';
import { openEmbedded } from './embedded.ts';
import type { EmbeddedRuntime } from './embedded-runtime.ts';
import { type LoadedVersion, loadedVersion } from './loaded-version.ts';
import { openUpstream } from './upstream/open-upstream.ts';
import { type ExplainSetting, withExplanations } from './with-explanations.ts';

/** A version to be loaded. */
export interface Wanted {
  readonly model: string;
  readonly version: string;
  readonly config: ModelConfig;
  readonly source: VersionConfig;
}

/** A version that was not loaded, and why. */
export interface NotLoaded {
  readonly model: string;
  readonly version: string;
  readonly because: string;
}

/** What loading depends on. */
export interface Loading {
  readonly admission: Admission;
  readonly runtime: EmbeddedRuntime;
  readonly folder: string;
  readonly wantsFeatures: (model: string) => boolean;
  /** How answers of a model are explained; undefined where they are not. */
  readonly explains?: ((model: string) => ExplainSetting | undefined) | undefined;
  /** The policy that a gate goes by which names none of its own. */
  readonly policy?: (() => Policy | undefined) | undefined;
  /** Makes ready what surrounds a version (its guards) before it serves; what it throws keeps the version out of service. */
  readonly prepare?: ((model: ServedModel) => void) | undefined;
  readonly record: (event: Event) => Promise<unknown>;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Gives back memory that is held for convenience alone. */
  readonly makeRoom: () => Promise<void>;
}

/** What a version is made from: a version with another key must be loaded anew. */
export function keyOf(
  { model, config, source }: Wanted,
  { wantsFeatures, explains, policy }: Pick<Loading, 'wantsFeatures' | 'explains' | 'policy'>,
): string {
  const { batching, classifier, mostElements } = config;
  const explained = explains?.(model);
  const beside = explained && [explained.memory, explained.seconds, explained.queue];
  const { gate } = source.check ?? {};
  const gated = gate !== undefined && gate.policy === undefined ? policy?.() : undefined;
  return JSON.stringify([source, batching, classifier, mostElements, wantsFeatures(model), beside, gated]);
}

/**
 * Admits and opens a version, warmed up. Where memory does not suffice, room is made once. What was not loaded is in the log, too. Errors: those of the log alone.
 */
export async function loadVersion(wanted: Wanted, loading: Loading): Promise<LoadedVersion | NotLoaded> {
  const first = await tryToLoad(wanted, loading);
  if (!('code' in first)) return first;
  if (first.code !== 'model/too-large') return first.report();
  await loading.makeRoom();
  const second = await tryToLoad(wanted, loading);
  return 'code' in second ? second.report() : second;
}

interface Failure {
  readonly code: ErrorCode;
  report(): Promise<NotLoaded>;
}

async function tryToLoad(wanted: Wanted, loading: Loading): Promise<LoadedVersion | Failure> {
  const { model, version, source, config } = wanted;
  const { record, folder, signal, runtime, wantsFeatures } = loading;
  const failure = (code: ErrorCode, because: string, event: Event): Failure => ({
    code,
    async report() {
      await record(event);
      return { model, version, because };
    },
  });
  const key = keyOf(wanted, loading);
  const { classifier } = config;
  try {
    if (source.upstream) {
      const backend = await openUpstream({
        name: model,
        version,
        config: source.upstream,
        classifier,
        folder,
        signal,
      });
      const stated = {
        check: 'as-given',
        by: 'the configuration, which states the digest of what runs elsewhere',
      } as const;
      return await prepared(
        loadedVersion(backend, {
          key,
          checks: [stated],
          recheck: async () => (await backend.recheck?.()) ?? {},
        }),
        loading,
      );
    }
    const result = await loading.admission.admit({ model, version, config: source });
    if (!result.admitted) return failure(result.code, result.because, result.event);
    const { most, waitMicroseconds: wait, longestMilliseconds: longest, queue, share } = config.batching;
    const { timeoutMilliseconds: timeout } = config.batching;
    const embedded = await openEmbedded(result.network, runtime, {
      name: model,
      version,
      digest: result.digest,
      batching: { most, wait, longest, timeout, queue, share },
      classifier,
      features: wantsFeatures(model),
      mostElements: config.mostElements,
      again: admittedAgain(wanted, loading, result.digest),
    });
    const explained = loading.explains?.(model);
    const backend = explained
      ? await withExplanations(embedded, result.network, explained, runtime.memory)
      : embedded;
    const { checks, recheck, event } = result;
    return await prepared(loadedVersion(backend, { key, checks, recheck }), loading, event);
  } catch (thrown) {
    const { code, message: because } = asGlacisError(thrown, 'run/failed', model);
    if (code === 'output/unwritable') throw thrown;
    const about = { model, version, because };
    return failure(code, because, {
      kind: 'event',
      at: loading.now(),
      event: 'model-not-loaded',
      by: 'glacis',
      about,
    });
  }
}

/** Reads and checks the same model once more. A function of its own: one beside the model would hold it, weights and all. Errors of what it gives: why the model would not be loaded now, `manifest/changed`. */
function admittedAgain({ model, version, source }: Wanted, { admission }: Loading, digest: string) {
  return async () => {
    const result = await admission.admit({ model, version, config: source });
    if (!result.admitted) throw new GlacisError(result.code, result.because);
    if (result.digest !== digest)
      throw new GlacisError(
        'manifest/changed',
        `${model}: expected ${digest}, which is served, got ${result.digest}`,
      );
    return result.network;
  };
}

/** The version when everything around it stands and the log knows of it; otherwise it is let go. */
async function prepared(
  loaded: LoadedVersion,
  { prepare, record }: Loading,
  event?: Event,
): Promise<LoadedVersion> {
  try {
    prepare?.(loaded.served);
    if (event) await record(event);
    return loaded;
  } catch (thrown) {
    await loaded.backend.close();
    throw thrown;
  }
}
