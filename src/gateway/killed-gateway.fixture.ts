import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { auditLog, folderSource, openLog, parseVerifierKey } from '../ledger/index.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { serializeModel } from '../onnx/write.ts';
import { logFolder } from './record/log-folder.ts';

const CHILD = fileURLToPath(new URL('./killed-gateway-child.fixture.ts', import.meta.url));
/** Requests outstanding at all times; the i-th client sends so many samples at once. */
const CLIENTS = 16;
const SAMPLES = [1, 1, 2, 3];

/** What came of it; each of the three faults is a list of what was found wrong, and empty. */
export interface KilledGateway {
  readonly rounds: number;
  /** Decisions that a client had in hand when the server was killed or before. */
  readonly acknowledged: number;
  readonly samples: number;
  /** Entries of the log at the end. */
  readonly entries: number;
  /** Queries used of the budget at the end, as the server says. */
  readonly used: number;
  readonly missing: readonly string[];
  readonly refilled: readonly string[];
}

/**
 * Kills a whole gateway under load that many times, each some milliseconds after so many of its answers, and starts it again on the same data. At the end the log is verified as a whole; an
 * error of that is thrown.
 */
export async function killGateway(
  folder: string,
  rounds: number,
  after: (round: number) => { readonly answers: number; readonly milliseconds: number },
  progress: (text: string) => void = () => {},
): Promise<KilledGateway> {
  const initializers = { b: float32Tensor([3], Float32Array.of(1, 2, 3)) };
  const made = graph({
    ...{ inputs: [value('x', ['n', 3])], outputs: [value('y', ['n', 3])], initializers },
    nodes: [node('Add', ['x', 'b'], ['y'])],
  });
  await writeFile(join(folder, 'm.onnx'), serializeModel(model(made)));
  const answered = new Map<string, number>();
  const refilled: string[] = [];
  let samples = 0;
  let used = 0;
  const checkBudget = async (server: Server, when: string): Promise<void> => {
    const before = used;
    used = await usedOf(server);
    if (used < samples || used < before)
      refilled.push(`${when}: ${used} used, ${before} before, ${samples} answered`);
  };
  for (let round = 0; round < rounds; round++) {
    const server = await start(folder);
    await checkBudget(server, `round ${round}`);
    const { answers, milliseconds } = after(round);
    let heardOf = 0;
    const heard = (decision: string, n: number): void => {
      answered.set(decision, n);
      samples += n;
      if (++heardOf === answers) setTimeout(() => server.child.kill('SIGKILL'), milliseconds);
    };
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
    const clients = Array.from({ length: CLIENTS }, async (_, i) => {
      const n = SAMPLES[i % SAMPLES.length]!;
      // Until the server is gone.
      for (;;) {
        const decision = await ask(server, agent, n).catch(() => undefined);
        if (decision !== undefined) heard(decision, n);
        else if (server.child.exitCode !== null || server.child.signalCode !== null) return;
      }
    });
    if (server.child.exitCode === null) await once(server.child, 'exit');
    await Promise.all(clients);
    agent.destroy();
    progress(`round ${round + 1}: ${answered.size} decisions`);
  }
  const last = await start(folder);
  await checkBudget(last, 'at the end');
  last.child.stdin!.end();
  await once(last.child, 'exit');
  const places = logFolder(join(folder, 'data', 'record'));
  const { origin, keys } = JSON.parse(await readFile(places.trustFile, 'utf8')) as {
    readonly origin: string;
    readonly keys: readonly string[];
  };
  const source = folderSource(places.log);
  const log = await openLog(source, { origin, keys: keys.map(parseVerifierKey) });
  await auditLog(log, source);
  const missing = new Set(answered.keys());
  let entries = 0;
  for await (const bytes of log.entries()) {
    entries++;
    const { decision } = JSON.parse(Buffer.from(bytes).toString()) as {
      readonly decision?: { readonly id: string; readonly outcome: string; readonly n: number };
    };
    if (decision?.outcome === 'answered' && decision.n === answered.get(decision.id))
      missing.delete(decision.id);
  }
  return {
    ...{ rounds, samples, entries, used, refilled },
    acknowledged: answered.size,
    missing: [...missing],
  };
}

interface Server {
  readonly child: ChildProcess;
  readonly rest: string;
  readonly management: string;
  readonly key: string;
}

async function start(folder: string): Promise<Server> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{"rest"')) return { child, ...(JSON.parse(line) as Omit<Server, 'child'>) };
  throw new Error('expected a gateway that is ready, it ended');
}

/** The id of the decision on a request of `n` samples that was answered; undefined for a refusal. */
function ask({ rest, key }: Server, agent: Agent, n: number): Promise<string | undefined> {
  const data = Array.from({ length: 3 * n }, () => Math.random());
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [n, 3], data }] });
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const asked = request(`${rest}/v2/models/m/infer`, { agent, method: 'POST', headers }, (answer) => {
      answer.on('error', reject);
      answer.resume();
      // Only a whole answer counts.
      answer.on('end', () =>
        resolve(
          answer.statusCode === 200 && answer.complete
            ? (answer.headers['glacis-decision'] as string)
            : undefined,
        ),
      );
      answer.on('close', () => resolve(undefined));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function usedOf({ management, key }: Server): Promise<number> {
  const answer = await fetch(`${management}/api/budgets?principal=alice&tenant=acme&model=m`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const uses = (await answer.json()) as readonly { readonly scope: string; readonly used: number }[];
  return uses.find(({ scope }) => scope === 'principal')!.used;
}
