import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Assessment, parseAssessment } from '../../src/assess/index.ts';
import { writeNpz } from '../../src/data/index.ts';
import { linearSamples, linearScores } from '../oip/linear.ts';
import type { ServedModel } from '../oip/model.ts';
import { type OipServer, startServer } from '../oip/server.ts';
import { glacis } from './cli.ts';

const N = 40;
let folder: string;
const running: OipServer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-endpoint-'));
  const x = linearSamples(N);
  const scores = linearScores(x, N);
  const y = Int32Array.from({ length: N }, (_, i) => {
    const row = [...scores.subarray(3 * i, 3 * i + 3)];
    return row.indexOf(Math.max(...row));
  });
  await writeNpz(join(folder, 'data.npz'), { x: { data: x, shape: [N, 2, 2] }, y: { data: y, shape: [N] } });
});
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function serve(change: Partial<ServedModel> = {}): Promise<OipServer> {
  const server = await startServer({ sampleShape: [2, 2], outputs: 3, answer: linearScores, ...change });
  running.push(server);
  return server;
}

const common = ['--data', 'data.npz', '--range', '-1,1', '--eps', '0.5'];

async function assessed(args: readonly string[], out: string): Promise<Assessment> {
  const result = await glacis(['assess', ...args, ...common, '--out', out], { cwd: folder });
  expect(result.code, result.stderr).toBe(0);
  return parseAssessment(readFileSync(join(folder, out, 'assessment.json'), 'utf8'));
}

/** Scores through a softmax. */
const probabilities = (x: Float32Array, n: number) => {
  const scores = linearScores(x, n);
  for (let i = 0; i < n; i++) {
    const row = scores.subarray(3 * i, 3 * i + 3).map(Math.exp);
    const total = row.reduce((a, b) => a + b, 0);
    scores.set(
      row.map((v) => v / total),
      3 * i,
    );
  }
  return scores;
};

describe('glacis assess on an endpoint', () => {
  it('attacks by asking, counts what it asked, and says what it saw', async () => {
    const server = await serve();
    const found = await assessed([server.url, '--attacks', 'square(queries=60)'], 'plain');
    const [result] = found.results;
    expect(result!.robustAccuracy).toBeLessThan(result!.cleanAccuracy);
    expect(result!.gradientQueries).toBe(0);
    expect(found.model.notes.join(' ')).toMatch(/only the answers of an endpoint are visible/);
    expect(found.model.digest).toMatch(/^endpoint:[0-9a-f]{64}$/);
    // The opening questions, clean answers and verification come on top of what the attack asked.
    expect(server.received.samples).toBeGreaterThanOrEqual(result!.queries);
  });

  it('finds as much behind probabilities as behind scores', async () => {
    const [a, b] = [await serve(), await serve({ answer: probabilities })];
    const plain = await assessed([a.url, '--attacks', 'square(queries=80)'], 'scores');
    const soft = await assessed([b.url, '--attacks', 'square(queries=80)'], 'probabilities');
    expect(soft.model.notes.join(' ')).toMatch(/read as probabilities \(Softmax\)/);
    expect(Math.abs(soft.results[0]!.robustAccuracy - plain.results[0]!.robustAccuracy)).toBeLessThanOrEqual(
      0.05,
    );
  });

  it('works on probabilities rounded to two digits', async () => {
    const server = await serve({ answer: probabilities, answers: { digits: 2 } });
    const found = await assessed([server.url, '--attacks', 'square(queries=60)'], 'rounded');
    expect(found.results[0]!.robustAccuracy).toBeLessThan(found.results[0]!.cleanAccuracy);
  });

  it('says that an endpoint answers at random', async () => {
    const server = await serve({ answers: { noise: 0.2, seed: 3 } });
    const found = await assessed([server.url, '--attacks', 'square(queries=30)'], 'random');
    expect(found.findings.map((f) => f.id)).toContain('evasion/randomised-model');
  });

  it('refuses attacks that need gradients before it asks anything more', async () => {
    const server = await serve();
    const result = await glacis(['assess', server.url, ...common, '--attacks', 'pgd', '--out', 'no'], {
      cwd: folder,
    });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/attacks that only ask.*pgd, which needs gradients/);
  });

  it('waits when the endpoint asks for it', async () => {
    const server = await serve();
    server.faults.throttle = { every: 5, retryAfter: '0' };
    const found = await assessed([server.url, '--attacks', 'square(queries=20)'], 'throttled');
    expect(found.status).toBe('complete');
  });

  it('keeps what was decided when the endpoint goes away, and goes on later with the same result', async () => {
    const server = await serve();
    const attack = ['--attacks', 'square(queries=40)', '--batch', '4'];
    const whole = await assessed([server.url, ...attack], 'whole');
    const asked = server.received.samples;
    // Gone for good in the middle of the attack: the address is refused from then on.
    let left = asked / 2;
    const limited = await serve({
      answer: (x, n) => {
        left -= n;
        if (left < 0) limited.faults.refuse = { status: 403, text: 'closed' };
        return linearScores(x, n);
      },
    });
    const first = await glacis(['assess', limited.url, ...common, ...attack, '--out', 'part'], {
      cwd: folder,
    });
    expect(first.code).toBe(3);
    expect(first.stderr).toMatch(/--resume goes on/);
    expect(existsSync(join(folder, 'part/checkpoint.json'))).toBe(true);
    limited.faults.refuse = undefined;
    left = Number.POSITIVE_INFINITY;
    const rest = await assessed([limited.url, ...attack, '--resume'], 'part');
    expect(rest.results[0]!.robustAccuracy).toBe(whole.results[0]!.robustAccuracy);
    expect(readFileSync(join(folder, 'part', rest.results[0]!.perSample.split('/').at(-1)!))).toEqual(
      readFileSync(join(folder, 'whole', whole.results[0]!.perSample.split('/').at(-1)!)),
    );
  });

  it('says what is wrong with garbage', async () => {
    const server = await serve();
    server.faults.garbage = 'endless';
    const result = await glacis(['assess', server.url, ...common, '--out', 'garbage'], { cwd: folder });
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/endpoint\/(bad-answer|unavailable)/);
  });

  it('is asked as the command line says', async () => {
    const server = await serve({ answers: 'labels' });
    const how = ['--labels-only', '3', '--format', 'json', '--parallel', '2', '--batch', '5'];
    const headers = ['--header', 'X-Team=red', '--header', 'X-Note=two words = one'];
    const attacks = ['--norm', 'l2', '--attacks', 'hop-skip-jump(queries=80, initEval=20)'];
    const { results } = await assessed([server.url, ...how, ...headers, ...attacks], 'labels');
    expect(results[0]!.robustAccuracy).toBeLessThan(results[0]!.cleanAccuracy);
    const { received } = server;
    expect(Math.max(...received.batches)).toBe(5);
    expect(received.atOnce).toBeLessThanOrEqual(2);
    for (const sent of received.headers) {
      expect(sent).toMatchObject({ 'x-team': 'red', 'x-note': 'two words = one' });
      expect(sent).not.toHaveProperty('inference-header-content-length');
    }
  });

  it('that hangs is given up after the time that the command line allows', async () => {
    const server = await serve();
    server.faults.hang = true;
    const result = await glacis(['assess', server.url, ...common, '--timeout', '0.2', '--out', 'hung'], {
      cwd: folder,
    });
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/endpoint\/unavailable/);
  });

  it('takes an adapter in the place of a model', async () => {
    writeFileSync(
      join(folder, 'adapter.mjs'),
      `export const sampleShape = [2, 2];
export const outputs = 2;
export const predict = (x, n) => Array.from({ length: n }, (_, i) => [x[4 * i] + x[4 * i + 1], x[4 * i + 2]]);
`,
    );
    const n = 20;
    const x = linearSamples(n);
    const y = Int32Array.from({ length: n }, (_, i) => (x[4 * i]! + x[4 * i + 1]! >= x[4 * i + 2]! ? 0 : 1));
    await writeNpz(join(folder, 'two.npz'), { x: { data: x, shape: [n, 2, 2] }, y: { data: y, shape: [n] } });
    const result = await glacis(
      [
        'assess',
        'adapter.mjs',
        '--data',
        'two.npz',
        '--range',
        '-1,1',
        '--eps',
        '0.5',
        '--out',
        'adapted',
        '--attacks',
        'square(queries=40)',
      ],
      { cwd: folder },
    );
    expect(result.stderr).not.toMatch(/error/i);
    expect(result.code).toBe(0);
  });
});
