import { Worker } from 'node:worker_threads';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { PackEvidence } from '../../incident/evidence/pack-evidence.ts';
import type { ImpactSummary } from '../../incident/impact/impact.ts';
import type { SearchImpact } from '../../incident/impact/open-impacts.ts';
import type { ReplayWhatIf } from '../../incident/what-if/open-what-ifs.ts';
import type { WhatIf } from '../../incident/what-if/what-if.ts';
import type { AskGood } from './ask-served.ts';
import type {
  FromSearch,
  SearchCall,
  SearchData,
  SearchJob,
  SearchPlace,
  ToSearch,
} from './search-messages.ts';
import type { GuardTrial } from './try-guard.ts';

/** Megabytes of a thread's own heap. */
const HEAP = 1024;
/** Milliseconds after which a thread that was cancelled is ended. */
const GRACE = 5000;

/** Searches of a log in threads. */
export interface SearchThreads {
  readonly search: SearchImpact;
  readonly replayWhatIf: ReplayWhatIf;
  readonly pack: PackEvidence;
}

/**
 * Searches, and packs evidence, in a thread each, which ends with it: the serving thread writes down what they found, asks a good version where one is asked, shows a guard past calls, and seals. `openAsk` gives that version, `openTrial` that guard. Errors: those
 * of the search, `run/cancelled`, `run/failed` where the thread ended.
 */
export function searchThreads(
  place: SearchPlace,
  {
    openAsk,
    openTrial,
  }: {
    readonly openAsk: (model: string | undefined, against: string) => AskGood;
    readonly openTrial: (guard: string) => GuardTrial;
  },
): SearchThreads {
  return {
    async search(search, { keep, signal, stepped }) {
      const { against, scope } = search.state.summary;
      const ask = against === undefined ? undefined : openAsk(scope.model, against);
      return inThread<ImpactSummary>(
        { ...place, glacis: 'search', job: { kind: 'impact', search } },
        {
          ...{ signal, stepped },
          answer(call) {
            if (call.kind === 'keep') return keep(call.step);
            return call.kind === 'ask' && ask !== undefined ? ask(call.input, signal) : nothing();
          },
        },
      );
    },
    async replayWhatIf(id, scope, change, { signal, stepped = () => {} }) {
      const job: SearchJob = { kind: 'what-if', id, scope, change };
      const trial = change.kind === 'guard' ? openTrial(change.guard) : undefined;
      const ended = inThread<WhatIf>(
        { ...place, glacis: 'search', job },
        {
          ...{ signal, stepped },
          answer: (call) =>
            call.kind === 'look' && trial !== undefined ? trial.look(call.call, signal) : nothing(),
        },
      );
      return ended.finally(() => trial?.close());
    },
    pack: (wish, seal, signal = new AbortController().signal) =>
      inThread<Uint8Array>(
        { ...place, glacis: 'search', job: { kind: 'pack', wish } },
        {
          ...{ signal, stepped: () => {} },
          answer: (call) => (call.kind === 'seal' ? seal(call.manifest) : nothing()),
        },
      ),
  };
}

const nothing = () => Promise.reject(new GlacisError('run/failed', 'search: nothing to be asked'));

interface Watch<Value> {
  readonly signal: AbortSignal;
  readonly stepped: (value: Value) => void;
  readonly answer: (call: SearchCall) => Promise<Extract<ToSearch, { kind: 'answer' }>['value']>;
}

function inThread<Value extends ImpactSummary | WhatIf | Uint8Array>(
  workerData: SearchData,
  { signal, stepped, answer }: Watch<Value>,
): Promise<Value> {
  if (signal.aborted) return Promise.reject(new GlacisError('run/cancelled', 'search: cancelled'));
  const file = import.meta.url.endsWith('.ts') ? './search-worker.ts' : './search-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxOldGenerationSizeMb: HEAP },
  });
  worker.unref();
  const say = (message: ToSearch) => worker.postMessage(message);
  let late: NodeJS.Timeout | undefined;
  const cancel = () => {
    say({ kind: 'cancel' });
    late = setTimeout(() => void worker.terminate(), GRACE);
    late.unref();
  };
  signal.addEventListener('abort', cancel, { once: true });
  const ended = new Promise<Value>((resolve, reject) => {
    worker.on('message', (message: FromSearch) => {
      switch (message.kind) {
        case 'step':
          return stepped(message.value as Value);
        case 'done':
          return resolve(message.value as Value);
        case 'failed':
          return reject(new GlacisError(message.code, message.message));
        case 'call': {
          const { id, call } = message;
          answer(call).then(
            (value) => say({ kind: 'answer', id, value }),
            (thrown) => {
              const { code, message: why } = asGlacisError(thrown, 'run/failed', 'search');
              say({ kind: 'refused', id, code, message: why });
            },
          );
        }
      }
    });
    worker.once('error', (thrown) => reject(asGlacisError(thrown, 'run/failed', 'search of the log')));
    worker.once('exit', () =>
      reject(
        signal.aborted
          ? new GlacisError('run/cancelled', 'search: cancelled')
          : new GlacisError('run/failed', 'search of the log: its thread has ended'),
      ),
    );
  });
  return ended.finally(() => {
    clearTimeout(late);
    signal.removeEventListener('abort', cancel);
    void worker.terminate();
  });
}
