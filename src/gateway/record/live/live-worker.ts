import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { asGlacisError } from '../../../core/error.ts';
import { letOthersGoFirst } from '../../../core/thread-priority.ts';
import { folderSource, parseVerifierKey } from '../../../ledger/index.ts';
import { openWrappingKey } from '../../../supply/vault/wrapping-key.ts';
import { archivedRanges, firstEntry } from '../archive.ts';
import { logFolder } from '../log-folder.ts';
import { subjectKeys } from '../subject-keys.ts';
import { openEntryIndex } from './entry-index.ts';
import { liveLog } from './live-log.ts';
import type { LiveAnswer, LiveReply, LiveRequest, LiveWorkerData } from './live-question.ts';
import { subjectNames } from './subject-names.ts';

/** Between two looks at the log, in milliseconds. */
const LOOK_EVERY = 250;
/** While nobody asks, the thread rests so many times as long as it works: serving comes first. */
const REST = 9;
/** How long after a question somebody is thought to be looking, in milliseconds. */
const LOOKED_AT = 60_000;
/** How long a question waits for the index to have all, in milliseconds. */
const PATIENCE = 200;

async function serve(port: MessagePort, data: LiveWorkerData): Promise<void> {
  letOthersGoFirst();
  const places = logFolder(data.folder);
  const trust = { origin: data.origin, keys: data.keys.map(parseVerifierKey) };
  const names = subjectNames(
    async () =>
      subjectKeys(places.subjects, await openWrappingKey(data.wrappingKey, process.env), { kept: 0 }),
    places.subjects,
  );
  const index = openEntryIndex(`${data.folder}/live.db`);
  const first = firstEntry(await archivedRanges(places));
  const { payloads } = places;
  const log = liveLog(folderSource(places.log), trust, {
    index,
    names,
    sealed: data.sealed,
    first,
    payloads,
  });
  let asked = Number.NEGATIVE_INFINITY;
  let turn: Promise<unknown> = Promise.resolve();
  /** The index is read and written by one at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };
  const answer = async (question: LiveRequest): Promise<LiveAnswer> => {
    asked = performance.now();
    const until = asked + PATIENCE;
    await log.refresh();
    while (performance.now() < until && (await log.catchUp()) > 0);
    switch (question.kind) {
      case 'page':
        return log.page(question.query, question.reveal);
      case 'find':
        return log.find(question.which, question.reveal);
      case 'input':
        return log.input(question.which);
      case 'state':
        return log.state();
    }
  };
  port.on('message', (question: LiveRequest) => {
    const { id } = question;
    inTurn(() => answer(question)).then(
      (given) => port.postMessage({ id, ok: true, answer: given } satisfies LiveReply),
      (thrown) => {
        const { code, message } = asGlacisError(thrown, 'run/failed', 'search of the log');
        port.postMessage({ id, ok: false, code, message } satisfies LiveReply);
      },
    );
  });
  const look = async (): Promise<void> => {
    const begun = performance.now();
    let read = 0;
    try {
      read = await inTurn(async () => ((await log.refresh()) ? log.catchUp() : 0));
    } catch {
      // What keeps the log from being read is told to whoever asks.
    }
    const now = performance.now();
    const rest = now - asked < LOOKED_AT ? 0 : REST * (now - begun);
    setTimeout(look, read > 0 ? rest : Math.max(LOOK_EVERY, rest));
  };
  void look();
}

const port = parentPort;
const data = workerData as LiveWorkerData | null;
if (port && data?.glacis === 'live-log') void serve(port, data);
