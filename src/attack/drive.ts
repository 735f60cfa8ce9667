import { throwIfCancelled } from '../core/cancel.ts';
import { type Answerer, keyOf, type Row, type Rows } from './answerer.ts';
import type { Answer, Question, Talk } from './question.ts';

/** One sample's talk with the model, and who listens to the answers. */
export interface Speaker {
  readonly sample: number;
  readonly talk: Talk;
  /** Most points that it may ask about in all. */
  readonly budget: number;
  /** Points asked about so far; kept by {@link drive}. */
  asked: number;
  /** The question as it is put: the place to move its points. The talk's own arrays stay as they are. */
  prepared?(question: Question): Question;
  /** Hears every answer before the talk goes on; `true` ends the talk. */
  heard(question: Question, answer: Answer): boolean;
  /** How a row of outputs is read: how far the goal is, and whether it is reached. */
  judge(logits: Float32Array, offset: number): { readonly margin: number; readonly reached: boolean };
  /** Called once, when the talk is over. */
  over(): void;
}

/** What {@link drive} needs. */
export interface DriveOptions {
  readonly answerer: Answerer;
  /** Elements of one sample. */
  readonly size: number;
  readonly classes: number;
  readonly signal?: AbortSignal | undefined;
}

/** A question on its way, with the rows that are still out. */
interface Pending {
  readonly speaker: Speaker;
  readonly question: Question;
  readonly rows: number;
  left: number;
  readonly parts: { readonly rows: Rows; readonly at: number }[];
}

/**
 * Holds many samples' talks at once: their questions are gathered into full batches, whatever each sample is at. A talk that is over
 * makes room for the next sample at once, so that batches stay full until the end. What becomes of a sample depends on its own
 * answers alone. Up to two batches of talks are open at a time, which bounds the memory.
 * When `signal` fires no further batch is started; talks that are open then stay undecided. Errors: `run/cancelled`, those of the
 * answerer.
 */
export async function drive(speakers: Iterable<Speaker>, options: DriveOptions): Promise<void> {
  const { answerer, signal } = options;
  const waiting = speakers[Symbol.iterator]();
  const queues = new Map<string, (Row & { readonly pending: Pending })[]>();
  let open = 0;
  let queued = 0;
  let exhausted = false;
  const under = new Set<Promise<void>>();
  let failure: { readonly thrown: unknown } | undefined;

  const finish = (speaker: Speaker) => {
    open--;
    speaker.over();
  };
  /** Lets the talk go on until its next question, and queues that. */
  const advance = (speaker: Speaker, answer: Answer | undefined) => {
    const step = answer === undefined ? speaker.talk.next() : speaker.talk.next(answer);
    if (step.done) return finish(speaker);
    const asked = step.value;
    const rows = asked.kind === 'gradient' ? (asked.average ?? 1) : asked.count;
    if (speaker.asked + rows > speaker.budget) {
      speaker.talk.return();
      return finish(speaker);
    }
    speaker.asked += rows;
    const question = speaker.prepared?.(asked) ?? asked;
    const pending: Pending = { speaker, question, rows, left: rows, parts: new Array(rows) };
    const key = keyOf(question);
    const queue = queues.get(key) ?? [];
    queues.set(key, queue);
    for (let index = 0; index < rows; index++)
      queue.push({ sample: speaker.sample, question, index, pending });
    queued += rows;
  };
  const fill = () => {
    const enough = 2 * answerer.batch * answerer.parallel;
    // Talks that ask about many points at once fill the batches with few of them open.
    while (!exhausted && open < enough && queued < enough) {
      const next = waiting.next();
      if (next.done) {
        exhausted = true;
        return;
      }
      open++;
      advance(next.value, undefined);
    }
  };
  const deliver = (batch: readonly (Row & { readonly pending: Pending })[], rows: Rows) => {
    for (const [at, { pending, index }] of batch.entries()) {
      pending.parts[index] = { rows, at };
      pending.left--;
      if (pending.left > 0) continue;
      const answer = assembled(pending, options);
      const { speaker, question } = pending;
      if (speaker.heard(question, answer)) {
        speaker.talk.return();
        finish(speaker);
      } else advance(speaker, answer);
    }
  };
  const start = () => {
    const [key, queue] = fullest(queues);
    const batch = queue.splice(0, answerer.batch);
    if (queue.length === 0) queues.delete(key);
    queued -= batch.length;
    const run = answerer
      .answer(batch, signal)
      .then((rows) => {
        if (!failure) deliver(batch, rows);
      })
      .catch((thrown: unknown) => {
        failure ??= { thrown };
      })
      .finally(() => under.delete(run));
    under.add(run);
  };

  for (;;) {
    if (failure) break;
    if (signal?.aborted) break;
    try {
      fill();
    } catch (thrown) {
      failure = { thrown };
      break;
    }
    // A batch that is not full starts only when nothing that could fill it is under way.
    while (queued > 0 && under.size < answerer.parallel) {
      const [, queue] = fullest(queues);
      if (queue.length < answerer.batch && under.size > 0) break;
      start();
    }
    if (under.size === 0) break;
    await Promise.race(under);
  }
  await Promise.all(under);
  if (failure) throw failure.thrown;
  throwIfCancelled(signal, 'attack');
}

function fullest<T>(queues: ReadonlyMap<string, T[]>): readonly [string, T[]] {
  let best: readonly [string, T[]] | undefined;
  for (const entry of queues) if (!best || entry[1].length > best[1].length) best = entry;
  return best!;
}

function assembled({ speaker, question, rows, parts }: Pending, { size, classes }: DriveOptions): Answer {
  const read = (logits: Float32Array, count: number) => {
    const judged = Array.from({ length: count }, (_, i) => speaker.judge(logits, i * classes));
    return {
      logits,
      margins: judged.map((j) => j.margin),
      reached: judged.map((j) => j.reached),
    };
  };
  if (question.kind === 'answers') {
    const logits = rows === 1 ? logitsAt(parts[0]!, classes) : new Float32Array(rows * classes);
    if (rows > 1) for (const [i, part] of parts.entries()) logits.set(logitsAt(part, classes), i * classes);
    return { ...read(logits, rows), loss: Number.NaN, gradient: NONE };
  }
  const first = parts[0]!;
  if (rows === 1) {
    return {
      ...read(logitsAt(first, classes), 1),
      loss: first.rows.losses![first.at]!,
      gradient: first.rows.gradients!.subarray(first.at * size, (first.at + 1) * size),
    };
  }
  const logits = new Float32Array(classes);
  const gradient = new Float32Array(size);
  let loss = 0;
  for (const { rows: from, at } of parts) {
    for (let i = 0; i < classes; i++) logits[i]! += from.logits[at * classes + i]! / rows;
    for (let i = 0; i < size; i++) gradient[i]! += from.gradients![at * size + i]! / rows;
    loss += from.losses![at]! / rows;
  }
  return { ...read(logits, 1), loss, gradient };
}

const NONE = new Float32Array(0);

function logitsAt({ rows, at }: { readonly rows: Rows; readonly at: number }, classes: number): Float32Array {
  return rows.logits.subarray(at * classes, (at + 1) * classes);
}
