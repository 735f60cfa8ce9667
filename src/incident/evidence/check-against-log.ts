import { z } from 'zod';
import { type Checkpoint, leafHash, rootFromInclusion } from '../../ledger/index.ts';
import { canonical } from '../canonical.ts';
import type { CaseEvent } from '../case.ts';
import { decisionEntry, ENTRIES, entryLine, type Manifest, PROOFS, proofLine } from './bundle-files.ts';
import { type Add, type Attempt, type Files, need, parsed } from './bundle-reading.ts';
import { tells } from './pack-evidence.ts';

/** Lines of the ledger's files. */
const MOST_LINES = 200_000;

/** Entries by their index, each of which leads to the root that the log signed. */
export function checkEntries(
  files: Files,
  checkpoint: Checkpoint,
  add: Add,
  attempt: Attempt,
): ReadonlyMap<number, Uint8Array> | undefined {
  const lines = attempt(ENTRIES, () => linesOf(files, ENTRIES, entryLine));
  const proofs = attempt(PROOFS, () => linesOf(files, PROOFS, proofLine));
  if (!lines || !proofs) return undefined;
  const byIndex = new Map(proofs.map((each) => [each.index, each.proof]));
  const entries = new Map<number, Uint8Array>();
  let sound = byIndex.size === proofs.length && proofs.length === lines.length;
  if (!sound) add(PROOFS, false, 'expected one proof for each entry');
  for (const { index, entry } of lines) {
    const bytes = Buffer.from(entry, 'base64');
    const proof = byIndex.get(index)?.map((hash) => Buffer.from(hash, 'base64'));
    const root = proof && rootFromInclusion(index, checkpoint.size, leafHash(bytes), proof);
    if (root === undefined || !Buffer.from(root).equals(checkpoint.root) || entries.has(index)) {
      sound = add(ENTRIES, false, `entry ${index}: expected one whose proof leads to the log's signed state`);
    } else entries.set(index, bytes);
  }
  return sound ? entries : undefined;
}

function linesOf<T>(files: Files, path: string, shape: z.ZodType<T>): readonly T[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(need(files, path));
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length > MOST_LINES)
    throw new Error(`expected at most ${MOST_LINES} whole lines`);
  return lines.map((line) => shape.parse(JSON.parse(line)));
}

/** What the store's word is held against. */
export interface Checking {
  readonly files: Files;
  readonly entries: ReadonlyMap<number, Uint8Array>;
  readonly manifest: Manifest;
  readonly add: Add;
  readonly attempt: Attempt;
}

const eventsShape = z.array(
  z.looseObject({
    id: z.string(),
    case: z.string(),
    at: z.number(),
    by: z.string(),
    what: z.looseObject({ kind: z.string() }),
    entry: z.int().min(0).optional(),
  }),
);

/** Holds what the store said happened against the log; gives how many the log vouches for. */
export function checkEvents({ files, entries, manifest, add, attempt }: Checking): number {
  const path = 'events.json';
  const events = attempt(
    path,
    () => eventsShape.parse(parsed(files, path)) as unknown as readonly CaseEvent[],
  );
  const alarms = attempt('alarms.json', () =>
    z.array(z.looseObject({ id: z.string() })).parse(parsed(files, 'alarms.json')),
  );
  if (!events || !alarms) return 0;
  const missing = new Set(manifest.missing);
  const kept = new Map(alarms.map((alarm) => [alarm.id, canonical(alarm)]));
  let proven = 0;
  for (const event of events) {
    if (event.case !== manifest.case) add(path, false, `event ${event.id.slice(0, 40)} is of another case`);
    if (event.what.kind === 'alarm' && kept.get(event.what.alarm?.id) !== canonical(event.what.alarm))
      add(
        'alarms.json',
        false,
        `alarm ${String(event.what.alarm?.id).slice(0, 40)} is not the one of the events`,
      );
    const bytes = event.entry === undefined ? undefined : entries.get(event.entry);
    if (bytes !== undefined && tells(bytes, event)) proven++;
    else if (event.entry === undefined || !missing.has(event.entry))
      add(path, false, `event ${event.id.slice(0, 40)} is not what the log says of it`);
  }
  if (proven > 0 || events.length === 0)
    add(path, true, `${proven} of ${events.length} events are in the log as they are here`);
  return proven;
}

const rowsShape = z.array(
  z.looseObject({
    entry: z.int().min(0),
    id: z.string(),
    at: z.number(),
    model: z.string(),
    outcome: z.string(),
    n: z.number(),
  }),
);

/** Holds decisions against the log; gives how many it vouches for. */
export function checkDecisions({ files, entries, manifest, add, attempt }: Checking): number {
  const missing = new Set(manifest.missing);
  const proven = new Set<number>();
  const paths = [...files.keys()].filter((path) => path === 'decisions.json' || path.startsWith('impact/'));
  for (const path of paths) {
    const rows = attempt(path, () => {
      const json = parsed(files, path);
      return rowsShape.parse(path === 'decisions.json' ? json : (json as { rows?: unknown }).rows);
    });
    let here = 0;
    for (const row of rows ?? []) {
      const bytes = entries.get(row.entry);
      if (bytes !== undefined && isDecision(bytes, row)) {
        proven.add(row.entry);
        here++;
      } else if (bytes !== undefined || !(missing.has(row.entry) || entries.size >= 20_000))
        add(path, false, `decision ${row.id.slice(0, 40)} is not what the log says of it`);
    }
    if (rows) add(path, true, `${here} of ${rows.length} decisions are in the log as they are here`);
  }
  return proven.size;
}

function isDecision(bytes: Uint8Array, row: z.output<typeof rowsShape>[number]): boolean {
  const read = decisionEntry.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  if (!read.success) return false;
  const { decision } = read.data;
  const same = (name: string) => canonical(decision[name] ?? null) === canonical(row[name] ?? null);
  return ['id', 'at', 'model', 'version', 'digest', 'outcome', 'n', 'top'].every(same);
}
