import { type ByteSource, memorySource, rangeSource } from '../../../data/byte-source.ts';
import type { ScanContext } from '../scanner.ts';
import { Judge, type Setting } from './judge.ts';
import { isLegacyTorch, readLegacyStorages } from './legacy-torch.ts';
import { OPCODES } from './opcodes.ts';
import { PICKLE_RULES } from './rules.ts';
import { runPickle } from './run.ts';
import type { Storage } from './storage.ts';
import { beginsPickle, isPadding } from './trial.ts';
import type { Bytes, LongText, Value } from './value.ts';

/** Pickles in one content that are looked at. */
const MAX_PICKLES = 100_000;

/**
 * Scans all pickles of a content, one after the other from byte `start` on, with what lies in them and behind them.
 */
export async function scanPickles(
  source: ByteSource,
  context: ScanContext,
  given: Setting,
  start = 0,
): Promise<void> {
  const results: (Value | undefined)[] = [];
  const storages = new Map<string, Storage>();
  let setting = given;
  let at = start;
  for (let i = 0; ; i++) {
    const judge = new Judge(setting);
    const { end, broken, result } = await runPickle(source, at, judge, context.budget);
    for (const { rule, what, at: byte } of judge.verdicts()) context.report(rule, what, byte);
    if (broken !== undefined) context.report(PICKLE_RULES.broken, broken, end);
    await scanContents(source, judge, context);
    if (broken !== undefined) return;
    results.push(result);
    for (const [key, storage] of judge.storages) storages.set(key, storage);
    if (i === 0 && isLegacyTorch(result)) setting = { ...setting, torch: true };
    at = end;
    if (results.length === 5 && isLegacyTorch(results[0])) {
      const after = await readLegacyStorages(source, at, result, storages);
      if (typeof after === 'string') {
        context.report(PICKLE_RULES.storage, after, at);
        return;
      }
      at = after;
    }
    if (at >= source.size || (await isPadding(source, at))) return;
    if (i >= MAX_PICKLES || !(await beginsPickle(source, at, context.budget, 'next'))) break;
  }
  const rest = rangeSource(source, at, source.size - at, context.where);
  if (!(await context.nested(`bytes from ${at}`, rest)))
    context.report(PICKLE_RULES.trailing, `${source.size - at} bytes`, at);
}

/** Scans the bytes and texts in a pickle that may be a file of their own. */
async function scanContents(source: ByteSource, judge: Judge, context: ScanContext): Promise<void> {
  const loaded = new Set<Bytes>(judge.loaded);
  for (const content of judge.contents) {
    if (!loaded.has(content as Bytes) && !(await mayHoldFile(source, content))) continue;
    const inner = await openContent(source, content, context);
    const known = await context.nested(`bytes at ${content.offset < 0 ? 'a text' : content.offset}`, inner);
    if (!known && loaded.has(content as Bytes))
      context.report(
        PICKLE_RULES.unsafeArgument,
        'torch.storage._load_from_bytes on bytes of no known format',
        content.offset,
      );
  }
}

/** Beginnings of containers and formats with a mark; pickles begin with an opcode. */
const MARKS: readonly string[] = [
  'PK',
  '\x1f\x8b',
  'BZh',
  '\xfd7zXZ',
  '\x28\xb5\x2f\xfd',
  '7z\xbc',
  '\x78',
  '\x89HDF',
  '\x93NUMPY',
  'GGUF',
];

async function mayHoldFile(source: ByteSource, content: Bytes | LongText): Promise<boolean> {
  const head = content.kind === 'bytes' ? content.head : await source.read(content.offset, 16);
  const text = Buffer.from(head.subarray(0, 8)).toString('latin1');
  return OPCODES[head[0] ?? 0] !== undefined || MARKS.some((mark) => text.startsWith(mark));
}

async function openContent(
  source: ByteSource,
  content: Bytes | LongText,
  context: ScanContext,
): Promise<ByteSource> {
  const { offset, length } = content;
  if (content.kind === 'bytes' && (offset < 0 || length === content.head.length))
    return memorySource(content.head, context.where);
  if (content.kind === 'bytes') return rangeSource(source, offset, length, context.where);
  // Bytes that were written as text: each character is one.
  const text = Buffer.from(await source.read(offset, length)).toString(
    content.encoding === 'utf-8' ? 'utf8' : 'latin1',
  );
  return memorySource(new Uint8Array(Buffer.from(text, 'latin1')), context.where);
}
