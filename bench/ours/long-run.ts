import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { randomFrom } from '../../src/core/random.ts';
import { encodeInferRequest } from '../../src/oip/index.ts';
import { BENCH, SHARED } from '../places.ts';

/** Requests outstanding at all times, different ones, and requests between two looks at the memory. */
const CLIENTS = 32;
const BODIES = 64;
const EVERY = 20_000;

/**
 * Asks the full gateway `--requests` times and writes how much memory it had meanwhile to `--out`: `node bench/ours/long-run.ts --requests 1000000 --out bench/results/long-run.json`.
 * Linux only. No clock is in the result, so a busy machine does no harm. Errors: `run/failed` where a request is not answered.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { requests: { type: 'string', default: '1000000' }, out: { type: 'string' } },
    strict: true,
  });
  const count = Number(values.requests);
  const file = join(SHARED, 'models', 'mnist-mlp.onnx');
  const program = [join(BENCH, 'ours', 'gateway.ts'), '--mode', 'full', '--model', file];
  const server = spawn(process.execPath, program, { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: server.stdout })) {
    if (!line.includes('"rest"')) continue;
    const { rest, key } = JSON.parse(line) as { readonly rest: string; readonly key: string };
    const seen = await load(`${rest}/v2/models/m/infer`, key, count, () => residentOf(server.pid!));
    const text = `${JSON.stringify({ model: 'mnist-mlp', clients: CLIENTS, every: EVERY, ...seen })}\n`;
    if (values.out !== undefined) writeFileSync(values.out, text);
    process.stdout.write(text);
    break;
  }
  server.stdin.end();
}

/** Asks so many times; what `look` gives, once at first and after each {@link EVERY} answers. */
async function load(url: string, key: string, count: number, look: () => number) {
  const bodies = Array.from({ length: BODIES }, (_, i) => {
    const rng = randomFrom(i, 'long run');
    const data = Float32Array.from({ length: 784 }, () => rng.uniform());
    const inputs = [{ name: 'input', datatype: 'FP32', shape: [1, 1, 28, 28], data }] as const;
    return encodeInferRequest({ inputs, binaryOutput: true }, { binary: true });
  });
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const seen = [look()];
  let [sent, answered, late] = [0, 0, 0];
  const one = async (): Promise<void> => {
    while (sent < count) {
      const { body, headers } = bodies[sent++ % BODIES]!;
      if (!(await ask(url, agent, { ...headers, authorization: `Bearer ${key}` }, body))) late++;
      if (++answered % EVERY !== 0) continue;
      seen.push(look());
      console.error(answered, seen.at(-1));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, one));
  agent.destroy();
  return { late, residentMiB: seen };
}

/** Whether it was answered; false where the machine stood still until it was too late, or the connection gone. */
function ask(url: string, agent: Agent, headers: Record<string, string>, body: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, method: 'POST', headers }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 200 || answer.statusCode === 504
          ? resolve(answer.statusCode === 200)
          : reject(new GlacisError('run/failed', `expected 200, got ${answer.statusCode}`)),
      );
    });
    asked.on('error', () => resolve(false));
    asked.end(body);
  });
}

function residentOf(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Math.round(Number(kibibytes) / 1024);
}

await main();
