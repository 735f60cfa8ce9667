import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { packEvidence, type SealManifest } from '../../incident/evidence/pack-evidence.ts';
import type { ZipFile } from '../../incident/evidence/stored-zip.ts';
import type { Replayed } from '../../incident/impact/impact.ts';
import { runImpact } from '../../incident/impact/run-impact.ts';
import type { LookAgain, SecondLook } from '../../incident/what-if/look-again.ts';
import { runWhatIf } from '../../incident/what-if/run-what-if.ts';
import { folderSource, openLog, parseVerifierKey } from '../../ledger/index.ts';
import { openWrappingKey } from '../../supply/vault/wrapping-key.ts';
import { archivedRanges, firstEntry } from '../record/archive.ts';
import { subjectNames } from '../record/live/subject-names.ts';
import { logFolder } from '../record/log-folder.ts';
import { subjectKeys } from '../record/subject-keys.ts';
import { keptInputs } from './kept-inputs.ts';
import { pastOfLog } from './past-of-log.ts';
import { overKept, replayKept } from './replay-kept.ts';
import type { FromSearch, SearchCall, SearchData, ToSearch } from './search-messages.ts';

// The thread that `search-thread.ts` starts for one search: reading, verifying and counting millions of entries is done here, where no call waits for it.

async function work(port: MessagePort, { job, ...place }: SearchData): Promise<FromSearch> {
  const stop = new AbortController();
  const { signal } = stop;
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let next = 1;
  port.on('message', (message: ToSearch) => {
    if (message.kind === 'cancel') {
      stop.abort();
      for (const { reject } of calls.values()) reject(new GlacisError('run/cancelled', 'search: cancelled'));
      calls.clear();
      return;
    }
    const asked = calls.get(message.id);
    calls.delete(message.id);
    if (message.kind === 'answer') asked?.resolve(message.value);
    else asked?.reject(new GlacisError(message.code, message.message));
  });
  const say = (message: FromSearch) => port.postMessage(message);
  const ask = <T>(call: SearchCall): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = next++;
      calls.set(id, { resolve: resolve as (value: unknown) => void, reject });
      say({ kind: 'call', id, call });
    });
  const places = logFolder(place.folder);
  const trust = { origin: place.origin, keys: place.keys.map(parseVerifierKey) };
  const source = folderSource(places.log);
  // One state for all of it: entries that are written meanwhile are of another search.
  const log = await openLog(source, trust);
  const reader = async () => log;
  const names = subjectNames(
    async () =>
      subjectKeys(places.subjects, await openWrappingKey(place.wrappingKey, process.env), { kept: 0 }),
    places.subjects,
  );
  const now = () => performance.now();
  if (job.kind === 'pack') {
    const seal: SealManifest = (manifest) =>
      ask<readonly ZipFile[]>({ kind: 'seal', manifest: Uint8Array.from(manifest) });
    return { kind: 'done', value: await packEvidence(job.wish, { reader: log, seal, signal }) };
  }
  const past = pastOfLog({
    ...{ reader, first: firstEntry(await archivedRanges(places)) },
    ...(place.sealed && { names }),
  });
  const stepped = (value: Extract<FromSearch, { kind: 'step' }>['value']) => say({ kind: 'step', value });
  const kept = keptInputs({ reader, names, payloads: places.payloads });
  // Copies: a part of a larger buffer would take all of it along.
  const copied = (inputs: readonly Uint8Array[]) => inputs.map((part) => Uint8Array.from(part));
  if (job.kind === 'what-if') {
    const lookAgain: LookAgain = {
      run: (calls) =>
        overKept(kept, calls, ({ model, n, at, principal, tenant, address }, inputs) =>
          ask<SecondLook | undefined>({
            kind: 'look',
            call: { model, n, at, principal, tenant, address, inputs: copied(inputs) },
          }),
        ),
    };
    const watch = { past, signal, now, stepped };
    return {
      kind: 'done',
      value: await runWhatIf(job.id, job.scope, job.change, { ...watch, lookAgain }),
    };
  }
  const replay =
    job.search.state.summary.against === undefined
      ? undefined
      : replayKept(kept, (input) =>
          ask<Replayed>({ kind: 'ask', input: { ...input, inputs: copied(input.inputs) } }),
        );
  const keep = (step: Extract<SearchCall, { kind: 'keep' }>['step']) => ask<number>({ kind: 'keep', step });
  return { kind: 'done', value: await runImpact(job.search, { past, replay, keep, signal, now, stepped }) };
}

const port = parentPort;
const data = workerData as SearchData | null;
if (port && data?.glacis === 'search')
  work(port, data)
    .catch((thrown): FromSearch => {
      const { code, message } = asGlacisError(thrown, 'run/failed', 'search of the log');
      return { kind: 'failed', code, message };
    })
    .then((last) => {
      const value = 'value' in last && last.value instanceof Uint8Array ? last.value : undefined;
      // An archive of many megabytes crosses without being copied.
      const isWhole = value !== undefined && value.byteLength === value.buffer.byteLength;
      port.postMessage(last, isWhole ? [value.buffer as ArrayBuffer] : []);
      port.close();
    });
