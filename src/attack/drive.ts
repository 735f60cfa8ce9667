import { throwIfCancelled } from '../core/cancel.ts';
import { type Batch, inTurns } from '../runtime/in-turns.ts';
import { type Answerer, keyOf, type Row, type Rows } from './answerer.ts';
import { type Answer, gradientsIn, type Question, type Talk } from './question.ts';

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
  /** Talks that may be open at once; twice what can be under way unless given. More of them keep batches full for longer. */
  readonly open?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A row of a question. */
type QueuedRow = Row & { readonly pending: Pending };

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
 * answers alone. How many talks are open at a time is bounded, and so is the memory.
 * When `signal` fires no further batch is started; talks that are open then stay undecided. Errors: `run/cancelled`, those of the
 * answerer.
 */
export async function drive(speakers: Iterable<Speaker>, options: DriveOptions): Promise<void> {
  const { answerer, classes, signal } = options;
  const { batch, parallel, sizes, inOrder } = answerer;
  const most = options.open ?? 2 * batch * parallel;
  const waiting = speakers[Symbol.iterator]();
  const queues = new Map<string, QueuedRow[]>();
  let open = 0;
  let queued = 0;
  let exhausted = false;

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
    const queries = rows * gradientsIn(asked, classes);
    if (speaker.asked + queries > speaker.budget) {
      speaker.talk.return();
      return finish(speaker);
    }
    speaker.asked += queries;
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
    // Talks that ask about many points at once fill the batches with few of them open.
    while (!exhausted && open < most && queued < most) {
      const next = waiting.next();
      if (next.done) {
        exhausted = true;
        return;
      }
      open++;
      advance(next.value, undefined);
    }
  };
  const deliver = (rows: readonly QueuedRow[], answers: Rows) => {
    for (let at = 0; at < rows.length; at++) {
      const { pending, index } = rows[at]!;
      pending.parts[index] = { rows: answers, at };
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
  const next = (underWay: number): Batch | undefined => {
    fill();
    if (queued === 0) return undefined;
    const [key, queue] = fullest(queues);
    // Where batches should be full, one that is not starts only when nothing that could fill it is under way.
    if (!sizes && queue.length < batch && underWay > 0) return undefined;
    const count = sizes ? countOf(queue, sizes, classes) : Math.min(batch, queue.length);
    const rows = queue.splice(0, count);
    if (queue.length === 0) queues.delete(key);
    queued -= rows.length;
    return async () => {
      const answers = await answerer.answer(rows, signal);
      return () => deliver(rows, answers);
    };
  };

  await inTurns({ parallel, inOrder: inOrder ?? false, signal }, next);
  throwIfCancelled(signal, 'attack');
}

function fullest<T>(queues: ReadonlyMap<string, T[]>): readonly [string, T[]] {
  let best: readonly [string, T[]] | undefined;
  for (const entry of queues) if (!best || entry[1].length > best[1].length) best = entry;
  return best!;
}

/** The largest of the `sizes`, which fall, that so many rows fill; of rows with several gradients as many as are worth about two full batches. */
function countOf(queue: readonly QueuedRow[], sizes: readonly number[], classes: number): number {
  // A gradient is about two forward passes more.
  const weight = (1 + 2 * gradientsIn(queue[0]!.question, classes)) / 3;
  const fitting = sizes.filter((size) => size <= queue.length);
  const most = 2 * sizes[0]!;
  return fitting.find((size) => weight === 1 || size * weight <= most) ?? fitting.at(-1) ?? queue.length;
}

function assembled({ speaker, question, rows, parts }: Pending, { size, classes }: DriveOptions): Answer {
  const first = parts[0]!;
  const width = size * gradientsIn(question, classes);
  if (question.kind === 'answers' && rows > 1) {
    const logits = new Float32Array(rows * classes);
    const margins = new Array<number>(rows);
    const reached = new Array<boolean>(rows);
    for (const [i, part] of parts.entries()) {
      logits.set(logitsAt(part, classes), i * classes);
      const judged = speaker.judge(logits, i * classes);
      margins[i] = judged.margin;
      reached[i] = judged.reached;
    }
    return { logits, margins, reached, loss: Number.NaN, gradient: NONE };
  }
  if (rows > 1) return averaged(speaker, parts, width, classes);
  const { losses, gradients } = first.rows;
  const { margin, reached } = speaker.judge(first.rows.logits, first.at * classes);
  return {
    logits: logitsAt(first, classes),
    margins: [margin],
    reached: [reached],
    loss: losses ? losses[first.at]! : Number.NaN,
    gradient: gradients ? gradients.subarray(first.at * width, (first.at + 1) * width) : NONE,
  };
}

function averaged(speaker: Speaker, parts: Pending['parts'], size: number, classes: number): Answer {
  const logits = new Float32Array(classes);
  const gradient = new Float32Array(size);
  let loss = 0;
  for (const { rows, at } of parts) {
    for (let i = 0; i < classes; i++) logits[i]! += rows.logits[at * classes + i]! / parts.length;
    for (let i = 0; i < size; i++) gradient[i]! += rows.gradients![at * size + i]! / parts.length;
    loss += rows.losses![at]! / parts.length;
  }
  const { margin, reached } = speaker.judge(logits, 0);
  return { logits, margins: [margin], reached: [reached], loss, gradient };
}

const NONE = new Float32Array(0);

function logitsAt({ rows, at }: { readonly rows: Rows; readonly at: number }, classes: number): Float32Array {
  return rows.logits.subarray(at * classes, (at + 1) * classes);
}
