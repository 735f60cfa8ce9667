import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classificationGoal } from '../../../src/threat/goal.ts';
import { distance, type Norm } from '../../../src/threat/norm.ts';
import { CACHE, peerSide } from '../../places.ts';
import { linesOf } from '../../side.ts';
import { DIGIT } from './pictures.ts';
import type { Trace } from './trace.ts';
import type { Victim } from './victim.ts';

/** An attack of another library, by its name in bench/peers/queries.py. */
export interface PeerCase {
  readonly id: string;
  readonly name: string;
  readonly norm: Norm;
  readonly eps: number;
}

/** Digits that are attacked. */
interface Chosen {
  readonly x: readonly Float32Array[];
  readonly labels: readonly number[];
}

/** Runs attacks of other libraries on each digit with nobody in their way, and keeps every query up to `most`. Errors: `run/failed`. */
export async function* peerTraces(
  victim: Victim,
  cases: readonly PeerCase[],
  { x, labels }: Chosen,
  most: number,
): AsyncGenerator<{ readonly of: PeerCase; readonly traces: readonly Trace[]; readonly version: string }> {
  if (cases.length === 0) return;
  const folder = join(CACHE, 'queries');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'x.f32'), Buffer.concat(x.map(bytesOf)));
  writeFileSync(join(folder, 'y.i32'), bytesOf(Int32Array.from(labels)));
  const args = ['--folder', folder, '--most', String(most), '--only', cases.map(({ id }) => id).join(',')];
  for await (const { event, name, version } of linesOf(peerSide('peers', 'queries.py', args))) {
    const of = cases.find(({ id }) => id === name);
    if (event !== 'queries' || of === undefined) continue;
    const traces: Trace[] = [];
    for (const [i, x0] of x.entries()) {
      const bytes = readFileSync(join(folder, `${of.id}-${i}.f32`));
      const sent = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      traces.push(await traceOf(victim, of, sent, x0, labels[i]!));
    }
    yield { of, traces, version: String(version) };
  }
}

async function traceOf(
  victim: Victim,
  { norm, eps }: PeerCase,
  x: Float32Array,
  x0: Float32Array,
  label: number,
): Promise<Trace> {
  const n = x.length / DIGIT;
  const looked = await victim.look(x, n);
  const goal = classificationGoal(Int32Array.of(label), victim.classes);
  let needed = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n && needed === Number.POSITIVE_INFINITY; i++) {
    const near = distance(norm, x.subarray(i * DIGIT, (i + 1) * DIGIT), x0, 0, DIGIT) <= eps * (1 + 1e-5);
    if (near && goal.reached(0, looked.scores, i * victim.classes)) needed = i + 1;
  }
  return { n, x, ...looked, needed };
}

const bytesOf = (data: Float32Array | Int32Array): Buffer =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);
