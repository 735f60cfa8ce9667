import { type ByteSource, rangeSource } from '../../../data/byte-source.ts';
import type { ScanContext } from '../scanner.ts';
import { Judge, type Setting } from './judge.ts';
import { isLegacyTorch, readLegacyStorages } from './legacy-torch.ts';
import { PICKLE_RULES } from './rules.ts';
import { runPickle } from './run.ts';
import type { Storage } from './storage.ts';
import { beginsPickle, isPadding } from './trial.ts';

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
  const storages = new Map<string, Storage>();
  let setting = given;
  let isLegacy = false;
  let at = start;
  for (let i = 0; ; i++) {
    const { judge, end, broken, result } = await scanPickle(source, at, setting, context);
    if (broken !== undefined) return;
    for (const [key, storage] of judge.storages) storages.set(key, storage);
    if (i === 0 && isLegacyTorch(result)) {
      isLegacy = true;
      setting = { ...setting, torch: true };
    }
    at = end;
    if (i === 4 && isLegacy) {
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

/** Runs one pickle, reports what it does, also where a limit ends it, and scans what lies in it. */
async function scanPickle(source: ByteSource, start: number, setting: Setting, context: ScanContext) {
  const judge = new Judge(setting);
  try {
    const outcome = await runPickle(source, start, judge, context.budget);
    if (outcome.broken !== undefined) context.report(PICKLE_RULES.broken, outcome.broken, outcome.end);
    return { judge, ...outcome };
  } finally {
    for (const { rule, what, at } of judge.verdicts()) context.report(rule, what, at);
    await judge.contents.scan(source, context);
  }
}
