import { GlacisError } from '../../core/error.ts';
import { type LogReader, parseProof } from '../../ledger/index.ts';
import { sha256 } from '../canonical.ts';
import type { CaseEvent } from '../case.ts';
import type { AffectedDecision, ImpactSummary } from '../impact/impact.ts';
import { eventDigest } from '../ledger-event.ts';
import type { CaseView } from '../open-incidents.ts';
import type { PastDecision } from '../past.ts';
import {
  CHECKPOINT,
  ENTRIES,
  EVIDENCE_SCHEMA,
  eventEntry,
  MANIFEST,
  type Manifest,
  PROOFS,
} from './bundle-files.ts';
import { writeStoredZip, type ZipFile } from './stored-zip.ts';

/** Everything that a bundle is made of. */
export interface EvidenceParts {
  readonly view: CaseView;
  readonly impacts: readonly { readonly impact: ImpactSummary; readonly rows: readonly AffectedDecision[] }[];
  /** Decisions that the alarms name. */
  readonly decisions: readonly PastDecision[];
  /** Models that are or were served, with their digests and what was checked: plain JSON. */
  readonly models: readonly object[];
  /** The log's trust file, as it lies beside the log: for people; who verifies takes their own. */
  readonly trustFile: string;
}

/** What is to be packed: plain data, so that it crosses threads. */
export interface PackWish {
  readonly parts: EvidenceParts;
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Signs a manifest, has the log name it, and gives the files that show both. */
export type SealManifest = (manifest: Uint8Array) => Promise<readonly ZipFile[]>;

/** Packs a bundle, here or in another thread. Gives the archive. */
export type PackEvidence = (wish: PackWish, seal: SealManifest, signal?: AbortSignal) => Promise<Uint8Array>;

/** Entries of the log in a bundle; those of the case come first. */
const MOST_ENTRIES = 20_000;

/**
 * Packs what the store says of a case, the log's own entries with their inclusion proofs under one signed checkpoint, and a manifest of all of it, which `seal` signs. The same parts under the same checkpoint give the same
 * bytes, the seal aside. Cost: some 20,000 proofs and the digests of all files, so a server does it in a thread. Errors: those of the log, `option/invalid` where it grows too large, `run/cancelled`.
 */
export async function packEvidence(
  { parts, by, at }: PackWish,
  {
    reader,
    seal,
    signal,
  }: {
    readonly reader: LogReader;
    readonly seal: SealManifest;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Buffer> {
  const { view } = parts;
  const named = entriesOf(parts).slice(0, MOST_ENTRIES);
  const { lines, proofs, missing } = await ledgerFiles(reader, named, view.events, signal);
  const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  const files: ZipFile[] = [
    { path: 'README.txt', bytes: Buffer.from(README) },
    { path: 'case.json', bytes: json(view.case) },
    { path: 'events.json', bytes: json(view.events) },
    { path: 'alarms.json', bytes: json(view.alarms) },
    { path: 'orders.json', bytes: json(view.orders) },
    { path: 'decisions.json', bytes: json(parts.decisions) },
    { path: 'models.json', bytes: json(parts.models) },
    ...parts.impacts.map(({ impact, rows }) => ({
      path: `impact/${impact.id}.json`,
      bytes: json({ ...impact, bundle: undefined, rows }),
    })),
    { path: 'ledger/trust.json', bytes: Buffer.from(parts.trustFile) },
    { path: CHECKPOINT, bytes: reader.checkpoint.note },
    { path: ENTRIES, bytes: Buffer.from(lines) },
    { path: PROOFS, bytes: Buffer.from(proofs) },
  ];
  const manifest: Manifest = {
    schema: EVIDENCE_SCHEMA,
    case: view.case.id,
    made: at,
    by: by.toWellFormed().slice(0, 500),
    origin: reader.checkpoint.origin,
    files: files.map(({ path, bytes }) => ({ path, bytes: bytes.length, sha256: sha256(bytes) })),
    missing: [...missing],
  };
  const bytes = json(manifest);
  const sealed = await seal(bytes);
  return writeStoredZip([...files, { path: MANIFEST, bytes }, ...sealed]);
}

/** Every entry that something in the bundle names: those of the case first, then what shows it, then what was affected. */
export function entriesOf({ view, impacts, decisions }: EvidenceParts): readonly number[] {
  const rows = impacts.flatMap((each) => each.rows);
  return [
    ...new Set([
      ...view.events.flatMap(({ entry }) => (entry === undefined ? [] : [entry])),
      ...decisions.map(({ entry }) => entry),
      ...rows.filter(({ different }) => different).map(({ entry }) => entry),
      ...rows.map(({ entry }) => entry),
    ]),
  ];
}

async function ledgerFiles(
  reader: LogReader,
  named: readonly number[],
  events: readonly CaseEvent[],
  signal: AbortSignal | undefined,
): Promise<{ readonly lines: string; readonly proofs: string; readonly missing: ReadonlySet<number> }> {
  const [lines, proofs]: [string[], string[]] = [[], []];
  const missing = new Set<number>();
  const said = new Map(events.flatMap((event) => (event.entry === undefined ? [] : [[event.entry, event]])));
  for (const index of named.toSorted((a, b) => a - b)) {
    if (signal?.aborted) throw new GlacisError('run/cancelled', 'evidence: cancelled');
    const bytes = await entryOf(reader, index);
    const event = said.get(index);
    // Where several gateways share a store, a case has entries of other logs, too.
    if (bytes === undefined || (event !== undefined && !tells(bytes, event))) {
      missing.add(index);
      continue;
    }
    const { proof } = parseProof(await reader.prove(index));
    lines.push(JSON.stringify({ index, entry: Buffer.from(bytes).toString('base64') }));
    proofs.push(JSON.stringify({ index, proof: proof.map((hash) => Buffer.from(hash).toString('base64')) }));
  }
  const text = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');
  return { lines: text(lines), proofs: text(proofs), missing };
}

/** An entry; undefined where it is not in this log, or archived. */
async function entryOf(reader: LogReader, index: number): Promise<Uint8Array | undefined> {
  if (index >= reader.checkpoint.size) return undefined;
  return reader.entry(index).catch((thrown) => {
    if (thrown instanceof GlacisError && thrown.code === 'ledger/unreadable') return undefined;
    throw thrown;
  });
}

/** Whether an entry of the log is the one about this event. */
export function tells(bytes: Uint8Array, event: CaseEvent): boolean {
  try {
    const { about } = eventEntry.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).event;
    return about.digest === eventDigest(event);
  } catch {
    return false;
  }
}

const README = `Evidence about an incident, packed by Glacis.

case.json         the case; events.json what happened in it, in order; alarms.json why
orders.json       what was done about it
decisions.json    decisions that the alarms name
impact/           which decisions were affected, and what a good model says of them now
models.json       models that were served, by their digests
ledger/           entries of the log of decisions, each with the proof that it is in the log, and the log's signed state
manifest.json     every file above with its digest
seal.json         the log's own entry that names the manifest's digest, with its proof
manifest.sig      the signature of the manifest (DSSE, in-toto), which fits signer.pub; the log names that key, too

Check it without any server, with the log's keys as you keep them:

    glacis incident verify BUNDLE --trust log.trust.json
`;
