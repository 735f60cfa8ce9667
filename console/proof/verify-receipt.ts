import { hexOf, utf8 } from './bytes.ts';
import { type Climb, climb, leafHash } from './inclusion.ts';
import { type NoteKey, parseKey, signatureOf } from './note-key.ts';
import { type CheckpointText, parseReceipt, type Receipt, readCheckpoint } from './receipt.ts';

/** Whom to believe about a log, as `log.trust.json` has it. */
export interface LogTrust {
  readonly origin: string;
  readonly keys: readonly string[];
  readonly witnesses?: readonly string[] | undefined;
  readonly quorum?: number | undefined;
}

/** One thing that was checked. */
export interface Check {
  readonly id: 'receipt' | 'leaf' | 'path' | 'log' | 'signature' | 'witnesses';
  readonly title: string;
  /** `unchecked`: this browser cannot; that is no success. */
  readonly state: 'good' | 'bad' | 'unchecked';
  readonly text: string;
}

/** What came of checking a receipt: `holds` where everything is right, `partly` where all that could be checked is, `fails` otherwise. */
export interface Verdict {
  readonly verdict: 'holds' | 'partly' | 'fails';
  readonly checks: readonly Check[];
  readonly receipt?: Receipt | undefined;
  readonly leaf?: Uint8Array | undefined;
  readonly way?: readonly Climb[] | undefined;
  readonly checkpoint?: CheckpointText | undefined;
  /** When the log signed, milliseconds since 1970. */
  readonly at?: number | undefined;
}

/**
 * Checks that an entry stands in the log: its hash leads to the root, and the root is signed by all of the log's keys. Everything happens in this browser;
 * receipt, entry and trust may be made up, and it never throws for what they hold. Same rules as `glacis log verify`, held against them by a test.
 */
export async function verifyReceipt(text: string, entry: string, trust: LogTrust): Promise<Verdict> {
  const checks: Check[] = [];
  const add = (id: Check['id'], title: string, state: Check['state'], said: string): void => {
    checks.push({ id, title, state, text: said });
  };
  let receipt: Receipt;
  try {
    receipt = parseReceipt(text);
  } catch (thrown) {
    add('receipt', 'Read the receipt', 'bad', `This is no receipt: ${wordsOf(thrown)}.`);
    return { verdict: 'fails', checks };
  }
  const { index, proof, checkpoint: note } = receipt;
  add(
    'receipt',
    'Read the receipt',
    'good',
    `It speaks of entry ${index} and brings ${proof.length} hashes.`,
  );

  const leaf = await leafHash(utf8(entry));
  const isOwn = receipt.leaf === undefined || receipt.leaf === hexOf(leaf);
  add(
    'leaf',
    'Hash the entry',
    isOwn ? 'good' : 'bad',
    isOwn
      ? 'The bytes that you see were hashed here.'
      : 'The receipt is about other bytes: this entry was changed, or it is another one’s receipt.',
  );

  const checkpoint = readCheckpoint(note.text);
  const way = checkpoint && (await climb(index, checkpoint.size, leaf, proof));
  const root = way && (way.at(-1)?.parent ?? leaf);
  const leads = root !== undefined && hexOf(root) === hexOf(checkpoint!.root);
  add(
    'path',
    'Climb to the root',
    leads ? 'good' : 'bad',
    leads
      ? `${proof.length === 0 ? 'The leaf is the root' : `${proof.length} steps lead to the root`} of a log of ${checkpoint!.size.toLocaleString('en-US')} entries.`
      : 'The hashes do not lead to the root that was signed: the entry, the way or the log was changed.',
  );
  const isLog = checkpoint?.origin === trust.origin;
  add(
    'log',
    'Is it this log?',
    isLog ? 'good' : 'bad',
    isLog ? `It is “${trust.origin}”.` : 'It is another log than the one that you trust.',
  );
  const at = await checkSignatures(note, trust, add);
  return {
    verdict: checks.some(({ state }) => state === 'bad')
      ? 'fails'
      : checks.some(({ state }) => state === 'unchecked')
        ? 'partly'
        : 'holds',
    ...{ checks, receipt, leaf, way, checkpoint, at },
  };
}

const SIGNED = {
  good: 'The log’s signature is right.',
  bad: 'The signature is wrong: the checkpoint was changed, or somebody else signed it.',
  missing: 'The log has not signed with this key.',
  unchecked: 'This browser does not know the algorithm, so this was not checked. `glacis log verify` does.',
} as const;

/** Every key of the log must have signed, and as many witnesses as are asked for. Gives when the log signed, milliseconds since 1970. */
async function checkSignatures(
  note: Receipt['checkpoint'],
  { keys, witnesses = [], quorum = witnesses.length }: LogTrust,
  add: (id: Check['id'], title: string, state: Check['state'], said: string) => void,
): Promise<number | undefined> {
  const times: number[] = [];
  if (keys.length === 0) add('signature', 'Check the signature', 'bad', 'There is no key to check it with.');
  for (const text of keys) {
    const key = await readKey(text);
    if (key === undefined) {
      add('signature', 'Check a signature', 'bad', 'The key to check it with cannot be read.');
      continue;
    }
    const { state, at } = await signatureOf(key, note);
    if (state === 'good' && at !== undefined) times.push(at * 1000);
    add(
      'signature',
      `Check the ${key.form.title} signature`,
      state === 'missing' ? 'bad' : state,
      `${SIGNED[state]} Key ${key.id}.`,
    );
  }
  if (witnesses.length > 0) {
    const found = await Promise.all(
      witnesses.map(async (text) => {
        const key = await readKey(text);
        return { key, state: key === undefined ? 'missing' : (await signatureOf(key, note)).state };
      }),
    );
    const of = (wanted: string) =>
      new Set(found.filter(({ state }) => state === wanted).map(({ key }) => hexOf(key!.raw))).size;
    const isWrong = found.some(({ state }) => state === 'bad');
    const enough = of('good') >= quorum;
    add(
      'witnesses',
      'Ask the witnesses',
      isWrong ? 'bad' : enough ? 'good' : of('good') + of('unchecked') >= quorum ? 'unchecked' : 'bad',
      `${of('good')} of ${witnesses.length} have signed; ${quorum} are asked for.`,
    );
  }
  return times.length === 0 ? undefined : Math.min(...times);
}

function readKey(text: string): Promise<NoteKey | undefined> {
  return parseKey(text).catch(() => undefined);
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
