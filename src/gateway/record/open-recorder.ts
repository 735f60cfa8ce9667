import { mkdir } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { asGlacisError, type ErrorCode, GlacisError } from '../../core/error.ts';
import { SMALL_YOUNG_GENERATION } from '../../core/young-generation.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import { folderSource, type LogSource } from '../../ledger/index.ts';
import type { Decision, Event } from '../decision.ts';
import type { Payload, Recorder } from '../recorder.ts';
import type { UnderWay } from '../under-way.ts';
import type { RecordConfig } from './config-schema.ts';
import { decisionText, eventText, whoText } from './decision-text.ts';
import {
  type LogTrustFile,
  logFolder,
  readIfThere,
  signersFrom,
  trustOf,
  wrappingKeyName,
} from './log-folder.ts';
import { recordFrame } from './record-frame.ts';
import type { RecordReply, RecordRequest, RecordWorkerData } from './record-messages.ts';

/** What a recorder is opened with, beside its configuration. */
export interface RecordSurroundings {
  /** A folder of its own; made where it is missing. */
  readonly folder: string;
  /** Milliseconds since 1970; `Date.now` without. */
  readonly now?: () => number;
  /** Calls that will be recorded soon, those whose records wait included; none are waited for without. */
  readonly underWay?: Readonly<UnderWay>;
}

/** A recorder with what the management side needs of it. */
export interface OpenRecorder extends Recorder {
  /** The log's files, to be served as they are. */
  readonly source: LogSource;
  /** Whom to believe about the log: to be shown, and kept elsewhere. */
  readonly trust: LogTrustFile;
  /**
   * Destroys the key of a subject: what is sealed for it and committed to for it means nothing from then on. Recorded. Gives whether there was
   * a key. Errors: `output/unwritable`.
   */
  erase(subject: string, by: string): Promise<boolean>;
}

/** Bytes and records that may be on their way to the disk: more is refused, because the disk does not keep up. */
const MOST_BYTES = 256 << 20;
const MOST_RECORDS = 100_000;
/** Whom a decision is about that was made before anybody was known. */
const NOBODY = 'nobody';

/**
 * From so many calls under way on, records wait until they are as many, or half of the calls, a millisecond at most: a flush for two or three calls costs each of them, and the
 * thread that answers, more than the wait (16 callers of a small network: 7 % more answers a second, earlier ones at that).
 */
const MANY = 8;
const LINGER = 1;

/** What waits for an answer of the thread. */
interface Asked {
  readonly done: (value: number | string | undefined) => void;
  readonly failed: (reason: GlacisError) => void;
}

/**
 * Opens the log of decisions, or starts it with fresh keys, in a thread of its own: this thread only puts texts and bytes into a buffer. What comes
 * in one turn of the event loop goes over together, and shares a flush with whatever else is there.
 *
 * Errors: those of the log (`ledger/locked`, `ledger/untrusted`, `ledger/forked` …), `key/unusable`, `vault/key`, `output/unwritable`.
 */
export async function openRecorder(
  config: RecordConfig,
  { folder, now = Date.now, underWay = { count: 0 } }: RecordSurroundings,
): Promise<OpenRecorder> {
  const places = logFolder(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((thrown) => {
    throw asGlacisError(thrown, 'output/unwritable', folder);
  });
  const signers = await signersFrom(places, config.origin, config.keyFile);
  const trust = trustOf(config.origin, signers);
  const workerData: RecordWorkerData = {
    glacis: 'record',
    folder,
    origin: config.origin,
    signers: signers.map(({ algorithm, privateKey }) => ({ algorithm, privateKey })),
    publishEvery: config.publishEvery,
    freeSpace: config.freeSpace,
    sealWho: config.who === 'sealed',
    keep: config.payloads.keep,
    retention: config.payloads.retention,
    mostPayloads: config.payloads.most,
    wrappingKey: await wrappingKeyName(places, config.wrappingKey),
  };
  const file = import.meta.url.endsWith('.ts') ? './record-worker.ts' : './record-worker.js';
  const url = new URL(file, import.meta.url);
  const worker = new Worker(url, { workerData, resourceLimits: SMALL_YOUNG_GENERATION });
  const frame = recordFrame();
  const waiting = new Map<number, Asked>();
  let next = 1;
  let broken: string | undefined;
  let low: string | undefined;
  let closed = false;
  /** Whether the thread has ended: nothing will be answered any more. */
  let gone = false;

  const breaks = (error: GlacisError) => {
    broken ??= error.message;
    for (const { failed } of waiting.values()) failed(error);
    waiting.clear();
    worker.unref();
  };
  const ask = (request: DistributiveOmit<RecordRequest, 'id'>, transfer: ArrayBuffer[] = []) =>
    new Promise<number | string | undefined>((done, failed) => {
      if (gone || (broken !== undefined && request.kind !== 'close'))
        return failed(new GlacisError('output/unwritable', broken ?? `${folder}: the log is closed`));
      const id = next++;
      if (waiting.size === 0) worker.ref();
      waiting.set(id, { done, failed });
      worker.postMessage({ ...request, id }, transfer);
    });
  const ready = new Promise<Extract<RecordReply, { about: 'ready' }>>((done, failed) => {
    worker.on('message', (reply: RecordReply) => {
      if ('about' in reply) {
        if (reply.about === 'ready') done(reply);
        else if (reply.about === 'broken') broken ??= reply.message;
        else if (reply.about === 'space')
          low = reply.low
            ? `${folder}: expected ${config.freeSpace} bytes of free disk, got ${reply.free}; nothing is served until there is room`
            : undefined;
        else
          void record({
            kind: 'event',
            at: now(),
            event: 'payloads-removed',
            by: 'glacis',
            about: { files: reply.files, bytes: reply.bytes, because: reply.because },
          }).catch(() => {});
        return;
      }
      if (reply.id === 0 && !reply.ok) return failed(new GlacisError(reply.code as ErrorCode, reply.message));
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (waiting.size === 0) worker.unref();
      if (reply.ok) {
        if (reply.spare) frame.reuse(reply.spare);
        asked?.done(reply.value);
      } else {
        if (reply.broken) broken ??= reply.message;
        asked?.failed(new GlacisError(reply.code as ErrorCode, reply.message));
      }
    });
    const ended = (what: string, cause?: unknown) => {
      const error = new GlacisError(
        'output/unwritable',
        `${folder}: the thread that writes the log ${what}`,
        { cause },
      );
      gone = true;
      if (!closed) breaks(error);
      failed(error);
    };
    worker.on('error', (thrown) =>
      ended(`failed: ${thrown instanceof Error ? thrown.message : thrown}`, thrown),
    );
    worker.on('exit', () => ended('ended'));
  });

  let gathered: { readonly done: (index: number) => void; readonly failed: (reason: GlacisError) => void }[] =
    [];
  let [bytes, records] = [0, 0];
  let idle: (() => void) | undefined;
  let planned = false;
  let lingering: NodeJS.Timeout | undefined;
  /** At the end of this turn of the event loop: what comes in it goes along. */
  const plan = () => {
    if (planned) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      const { count } = underWay;
      if (count >= MANY && gathered.length < Math.min(MANY, count / 2))
        lingering ??= setTimeout(flush, LINGER);
      else flush();
    });
  };
  const flush = () => {
    clearTimeout(lingering);
    lingering = undefined;
    if (gathered.length === 0) return;
    const those = gathered;
    const taken = frame.take();
    gathered = [];
    const { length } = taken;
    bytes += length;
    records += those.length;
    const settle = () => {
      bytes -= length;
      records -= those.length;
      if (records + gathered.length === 0) idle?.();
    };
    ask({ kind: 'records', frame: taken }, [taken.buffer]).then(
      (first) => {
        settle();
        for (const [i, { done }] of those.entries()) done((first as number) + i);
      },
      (reason: GlacisError) => {
        settle();
        for (const { failed } of those) failed(reason);
      },
    );
  };
  const record = (entry: Decision | Event, payload?: Payload): Promise<number> =>
    new Promise((done, failed) => {
      if (broken !== undefined || closed)
        return failed(new GlacisError('output/unwritable', broken ?? `${folder}: the log is closed`));
      if (bytes > MOST_BYTES || records > MOST_RECORDS)
        return failed(
          new GlacisError(
            'output/unwritable',
            `${folder}: the disk does not keep up with what is to be recorded`,
          ),
        );
      frame.add(
        entry.kind === 'event'
          ? { kind: 'event', id: '', subject: '', who: '', body: eventText(entry) }
          : {
              kind: 'decision',
              id: entry.id,
              subject: payload?.subject ?? entry.principal ?? NOBODY,
              who: whoText(entry),
              body: decisionText(entry),
              input: payload?.input,
              output: payload?.output,
            },
      );
      gathered.push({ done, failed });
      plan();
    });

  let opened: Awaited<typeof ready>;
  try {
    opened = await ready;
    if ((await readIfThere(places.trustFile)) === undefined)
      await writeAtomically(places.trustFile, (write) =>
        write(Buffer.from(`${JSON.stringify(trust, null, 2)}\n`)),
      );
  } catch (thrown) {
    closed = true;
    await worker.terminate();
    throw thrown;
  }
  worker.unref();
  const recorder: OpenRecorder = {
    record,
    async receipt(index) {
      return (await ask({ kind: 'receipt', index })) as string;
    },
    get broken() {
      return broken ?? low;
    },
    source: folderSource(places.log),
    trust,
    async erase(subject, by) {
      const pseudonym = await ask({ kind: 'erase', subject });
      if (pseudonym === undefined) return false;
      await record({
        kind: 'event',
        at: now(),
        event: 'subject-erased',
        by,
        about: { subject: pseudonym as string },
      });
      return true;
    },
    async close() {
      if (closed) return;
      closed = true;
      if (records + gathered.length > 0) await new Promise<void>((resolve) => (idle = resolve));
      if (gone) return;
      worker.ref();
      try {
        await ask({ kind: 'close' });
      } finally {
        await worker.terminate();
      }
    },
  };
  if (opened.recovered)
    await record({
      kind: 'event',
      at: now(),
      event: 'log-recovered',
      by: 'glacis',
      about: { entries: opened.recovered.entries, torn: opened.recovered.torn },
    });
  return recorder;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
