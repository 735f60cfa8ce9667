import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openRunLog } from './run-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PER_EPOCH = 40;
const loss = (step: number) => 1 / step;
const epochAt = (epoch: number) => ({ loss: epoch, seconds: 1 });

/** Logs the steps from `from` to `to` of four epochs. */
function write(path: string, from: number, to: number) {
  const log = openRunLog(path, 4);
  const closed = Array.from({ length: Math.floor(from / PER_EPOCH) }, (_, i) => epochAt(i));
  log.started(from, 4 * PER_EPOCH, closed);
  for (let step = from + 1; step <= to; step++) {
    const epoch = Math.floor((step - 1) / PER_EPOCH);
    log.step({ step, total: 4 * PER_EPOCH, epoch, loss: loss(step), soFar: { loss: loss(step) } });
    // Killed between the checkpoint at the end of an epoch and the epoch's line.
    const isKilled = step === to && to < 4 * PER_EPOCH;
    if (step % PER_EPOCH === 0 && !isKilled) log.epoch(epochAt(epoch), epoch);
  }
  log.close();
}

it.each([
  ['in the middle of an epoch', 95, 70, ''],
  ['with a line cut off', 95, 70, '{"kind":"step","st'],
  ['at the end of an epoch, before its line', 80, 80, ''],
  ['before the first checkpoint', 30, 0, ''],
  ['with a line of something else', 95, 70, '[1]\n17\n'],
])('reads as if nothing had happened where a run was killed %s', (_, reached, kept, rest) => {
  const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
  write(whole, 0, 4 * PER_EPOCH);
  write(broken, 0, reached);
  appendFileSync(broken, rest);
  write(broken, kept, 4 * PER_EPOCH);
  const text = readFileSync(broken, 'utf8');
  expect(text).toBe(readFileSync(whole, 'utf8'));
  expect(text.split('\n').length).toBe(1 + 4 * 20 + 4 + 1);
});

it('says where it cannot write', () => {
  expect(() => write(join(folder, 'no', 'such'), 0, 1)).toThrow(
    expect.objectContaining({ code: 'output/unwritable' }),
  );
});
