import type { ChildProcess } from 'node:child_process';
import { GlacisError } from '../../core/error.ts';
import { startHelper } from '../../core/helper-process.ts';
import { adaptDataset, openDataset } from '../../data/index.ts';
import type { LabInfo } from '../../gateway/console/api.ts';
import type { Lab, LabModel, LabOrder, LabOutcome } from '../../gateway/console/lab.ts';
import type { LabConfig } from '../../gateway/console/lab-schema.ts';
import { LAB_ATTACKS } from './attacks.ts';
import type { FromLab, ToLab, Trial } from './messages.ts';

/** Elements of the largest sample that is tried: twenty pictures of it travel to a browser. */
const MOST_ELEMENTS = 65_536;
/** Inputs to begin with. */
const MOST_INPUTS = 24;
/** Trials that may wait. */
const MOST_WAITING = 4;
/** Milliseconds after which a process without work is let go. */
const IDLE = 60_000;
/** Megabytes of the process's own heap. */
const HEAP = 768;

interface Watch {
  readonly progress: (share: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Opens the lab: attacks on single inputs, one after another, in a process of its own that is killed where it takes too long, is cancelled or grows too large. That
 * process opens the served file itself; of a model on another server it gets the answers alone.
 */
export function openLab(config: LabConfig, { placeOf }: { readonly placeOf: (path: string) => string }): Lab {
  const inputs = new Map<string, Promise<LabInfo['inputs']>>();
  const about = (model: string) => ({ range: settingOf(config, model).range });
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  /** Trials that are under way or wait. */
  let waiting = 0;
  let isClosed = false;

  const letGo = (): void => {
    clearTimeout(idle);
    child?.kill('SIGKILL');
    child = undefined;
  };
  const start = (): ChildProcess => {
    if (child?.connected) return child;
    child = startHelper(new URL('./lab-process.ts', import.meta.url), HEAP);
    return child;
  };

  const once = (model: LabModel, order: LabOrder, { progress, signal }: Watch): Promise<LabOutcome> => {
    if (isClosed || signal.aborted) return Promise.reject(new GlacisError('run/cancelled', 'lab: cancelled'));
    const own = start();
    const trial = trialOf(model, order, about(model.model).range, config.memory);
    return new Promise<LabOutcome>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(late);
        own.off('message', heard);
        own.off('exit', gone);
        own.off('error', gone);
        signal.removeEventListener('abort', cancelled);
      };
      const fail = (error: GlacisError): void => {
        end();
        reject(error);
      };
      const kill = (error: GlacisError): void => {
        if (child === own) letGo();
        fail(error);
      };
      const heard = (message: FromLab): void => {
        if (message.kind === 'progress') progress(message.share);
        else if (message.kind === 'ask') void answer(own, model, message, signal);
        else if (message.kind === 'failed') fail(new GlacisError(message.code, message.message));
        else {
          end();
          resolve(message.outcome);
        }
      };
      const gone = (): void =>
        kill(
          new GlacisError(
            'run/failed',
            'lab: the process of the trial has ended; it may have needed too much memory',
          ),
        );
      const cancelled = (): void => kill(new GlacisError('run/cancelled', 'lab: cancelled'));
      const late = setTimeout(
        () => kill(new GlacisError('run/failed', `lab: it took longer than ${config.seconds} s`)),
        config.seconds * 1000,
      );
      own.on('message', heard);
      own.once('exit', gone);
      own.once('error', gone);
      signal.addEventListener('abort', cancelled, { once: true });
      send(own, { kind: 'run', trial });
    });
  };

  return {
    attacks: LAB_ATTACKS,
    mostElements: MOST_ELEMENTS,
    about,
    inputs(model) {
      const path = settingOf(config, model.model).inputs;
      if (path === undefined) return Promise.resolve([]);
      const known = inputs.get(model.model) ?? readInputs(placeOf(path), model, about(model.model).range);
      inputs.set(model.model, known);
      known.catch(() => inputs.delete(model.model));
      return known;
    },
    async run(model, order, watch) {
      if (waiting >= MOST_WAITING)
        throw new GlacisError('option/invalid', 'lab: expected some patience, got more trials than may wait');
      waiting++;
      clearTimeout(idle);
      const mine = turn.then(() => once(model, order, watch));
      turn = mine.catch(() => {});
      try {
        return await mine;
      } finally {
        waiting--;
        if (waiting === 0) {
          idle = setTimeout(letGo, IDLE);
          idle.unref();
        }
      }
    },
    async close() {
      isClosed = true;
      letGo();
    },
  };
}

function settingOf({ models }: LabConfig, model: string): LabConfig['models'][string] {
  return Object.hasOwn(models, model) ? models[model]! : { range: [0, 1] };
}

function trialOf(
  { digest, classifier, source }: LabModel,
  order: LabOrder,
  range: readonly [number, number],
  memory: number,
): Trial {
  const { input, output, sampleDims, classes } = classifier;
  return { order, range, memory, model: { digest, input, output, sampleDims, classes, source } };
}

async function answer(
  child: ChildProcess,
  model: LabModel,
  { id, points, n }: Extract<FromLab, { kind: 'ask' }>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const scores = await model.ask(points, n, signal);
    send(child, { kind: 'answer', id, scores });
  } catch (thrown) {
    const because = thrown instanceof Error ? thrown.message : String(thrown);
    send(child, { kind: 'no-answer', id, because });
  }
}

function send(child: ChildProcess, message: ToLab): void {
  // A process that is gone says so itself.
  if (child.connected) child.send(message, () => {});
}

async function readInputs(
  path: string,
  { classifier }: LabModel,
  range: readonly [number, number],
): Promise<LabInfo['inputs']> {
  const dataset = await openDataset(path);
  try {
    const adapted = await adaptDataset(
      dataset,
      { name: classifier.input, dims: [null, ...classifier.sampleDims], dtype: 'float32' },
      { n: Math.min(MOST_INPUTS, dataset.n), range },
    );
    const { x } = await adapted.read(0, adapted.n);
    const size = x.length / adapted.n;
    return Array.from({ length: adapted.n }, (_, i) => ({
      id: String(i),
      label: Math.trunc(adapted.labels?.[i] ?? 0),
      values: Array.from(x.subarray(i * size, (i + 1) * size), (value) => Number(value.toPrecision(5))),
    }));
  } finally {
    await dataset.close();
  }
}
