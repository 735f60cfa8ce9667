import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../core/until.fixture.ts';
import { folderSource, openLog, parseVerifierKey } from '../ledger/index.ts';
import { serializeModel } from '../onnx/write.ts';
import { linearModel } from '../threat/small-model.fixture.ts';
import type { NotLoaded } from './backend/load-version.ts';
import type { ModelStatus } from './backend/model-status.ts';
import { readServe } from './config/read-serve.ts';
import { openProcessLog } from './observe/process-log.ts';
import { openGateway, type RunningGateway } from './open-gateway.ts';
import { logFolder } from './record/log-folder.ts';

/** Principals that ask without pause and may. */
export const CLIENTS: readonly string[] = Array.from({ length: 8 }, (_, i) => `client${i}`);
/** One more, whom {@link WITHOUT_BOB} shuts out. */
export const BOB = 'bob';
/** The class that each version answers, whatever it is asked. */
export const CLASS: Readonly<Record<string, number>> = { v1: 0, v2: 2 };

const EVERYBODY = '@id("all") permit (principal, action, resource) when { principal.scoped };\n';
/** Rights of everybody but one. */
export const WITHOUT_BOB = `${EVERYBODY}@id("out") forbid (principal == Principal::"${BOB}", action, resource);\n`;

/** A request from beginning to end: the phase of the test at both, and what came back. */
export interface Asked {
  readonly principal: string;
  readonly from: string;
  readonly to: string;
  /** The status, or why there is none. */
  readonly status: number | string;
  readonly version?: string;
  /** The likeliest class. */
  readonly top?: number;
}

/** An answer of the management side. */
export interface Managed {
  readonly status: number;
  readonly json: {
    readonly error?: string;
    readonly notLoaded?: readonly NotLoaded[];
    readonly models?: readonly ModelStatus[];
    readonly canary?: ModelStatus['canary'];
  };
}

/** A whole gateway that goes by a file on the disk, and principals who ask it from the start until they are told to stop. */
export interface BusyGateway {
  readonly gateway: RunningGateway;
  /** All that was asked and has ended. */
  readonly asked: readonly Asked[];
  keyOf(principal: string): string;
  /** Writes `glacis.yaml`: the section of the model, and whatever else is said under `serve`. */
  write(model: object, more?: object): void;
  /** Writes any file beside it. */
  put(name: string, text: string): void;
  /** Both versions, the second by the digest of its file. */
  both(use: string): { readonly use: string; readonly versions: Readonly<Record<string, object>> };
  managed(path: string, body?: object, as?: string): Promise<Managed>;
  /** Does something to the server while everybody asks; the phase of that name begins once it has answered. */
  act<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** What began and ended within a phase, once everybody (or `who`) has asked some times in it. */
  within(name: string, who?: readonly string[]): Promise<readonly Asked[]>;
  /** Ends the asking. */
  quiet(): Promise<void>;
  /** Events of the log as `NAME by WHOM`, in order; the gateway has ended. */
  events(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Starts one that serves `v1` to everybody. */
export async function busyGateway(): Promise<BusyGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-busy-'));
  const file = join(folder, 'glacis.yaml');
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const v1 = { file: 'v1.onnx', check: { asGiven: true } };
  const write = (model: object, more: object = {}): void => {
    const serve = {
      listen: { port: 0 },
      management: { port: 0 },
      rights: { policies: 'rights.cedar' },
      rates: { limits: [{ per: 'principal', requests: 1e9, every: 'second' }] },
      budgets: { limits: [{ per: 'principal', queries: 1e9 }] },
      models: { m: model },
      ...more,
    };
    writeFileSync(file, JSON.stringify({ serve }, null, 2));
  };
  const digestOf = (name: string): string =>
    `sha256:${createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')}`;
  for (const [version, top] of Object.entries(CLASS)) {
    const model = linearModel([0.1, 0.2, 0.3, 0.3, 0.2, 0.1], [0, 0, 0].with(top, 3));
    writeFileSync(join(folder, `${version}.onnx`), serializeModel(model));
  }
  put('rights.cedar', EVERYBODY);
  write({ use: 'v1', versions: { v1 } });
  const reread = async () => ({ config: readServe(await readFile(file, 'utf8'), file).config });
  const gateway = await openGateway({
    ...(await reread()),
    ...{ reread, file, folder, dataFolder: join(folder, 'data'), env: {}, home: folder },
    log: openProcessLog({ write: () => {} }),
  });
  const keys = new Map<string, string>();
  for (const principal of [...CLIENTS, BOB, 'admin']) {
    const wish = {
      ...{ principal, tenant: 'acme', roles: principal === 'admin' ? ['admin'] : [] },
      scope: { models: ['*'], operations: ['infer'], detail: 'scores' },
    } as const;
    keys.set(principal, (await gateway.keys.create(wish, { id: 'test', mayGrant: true })).text);
  }
  const asked: Asked[] = [];
  const agent = new Agent({ keepAlive: true });
  let [phase, isOver] = ['start', false];
  const loops = [...CLIENTS, BOB].map(async (principal) => {
    while (!isOver) {
      const from = phase;
      const came = await ask(gateway.addresses.rest, keys.get(principal)!, agent);
      asked.push({ principal, from, to: phase, ...came });
      // A door that is closed is no reason to keep the others from their turn.
      if (came.status === 'ECONNREFUSED') await new Promise((later) => setTimeout(later, 20));
    }
  });
  const quiet = async (): Promise<void> => {
    isOver = true;
    await Promise.all(loops);
  };
  return {
    ...{ gateway, asked, write, put, quiet },
    keyOf: (principal) => keys.get(principal)!,
    both: (use) => ({
      use,
      versions: { v1, v2: { file: 'v2.onnx', check: { digest: digestOf('v2.onnx') } } },
    }),
    async managed(path, body, as = 'admin') {
      const answer = await fetch(`${gateway.addresses.management}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${keys.get(as)}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, json: (await answer.json()) as Managed['json'] };
    },
    async act(name, work) {
      phase = `until ${name}`;
      const came = await work();
      phase = name;
      return came;
    },
    async within(name, who = CLIENTS) {
      const mine = () => asked.filter(({ from, to }) => from === name && to === name);
      const of = (each: string) => mine().filter(({ principal }) => principal === each);
      await until(() => who.every((each) => of(each).length >= 5));
      return mine().filter(({ principal }) => who.includes(principal));
    },
    async events() {
      const { log: place, trustFile } = logFolder(join(folder, 'data', 'record'));
      const { origin, keys: trusted } = JSON.parse(readFileSync(trustFile, 'utf8'));
      const log = await openLog(folderSource(place), { origin, keys: trusted.map(parseVerifierKey) });
      const found: string[] = [];
      for await (const bytes of log.entries()) {
        const { event } = JSON.parse(Buffer.from(bytes).toString());
        if (event !== undefined) found.push(`${event.event} by ${event.by}`);
      }
      return found;
    },
    async close() {
      await quiet();
      agent.destroy();
      await gateway.drain();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A question, as JSON. */
export function question(): string {
  const data = [Math.random(), Math.random()];
  return JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }] });
}

/** Asks over a connection that is kept, as most clients do. */
function ask(url: string, key: string, agent: Agent): Promise<Pick<Asked, 'status' | 'version' | 'top'>> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const failed = ({ code, message }: NodeJS.ErrnoException) => resolve({ status: code ?? message });
    const sent = request(`${url}/v2/models/m/infer`, { agent, method: 'POST', headers }, (answer) => {
      let text = '';
      answer.on('data', (piece) => {
        text += piece;
      });
      answer.on('error', failed);
      answer.on('end', () => {
        const { model_version: version, outputs } = JSON.parse(text);
        const scores = outputs?.[0].data as number[] | undefined;
        const told = scores && { version, top: scores.indexOf(Math.max(...scores)) };
        resolve({ status: answer.statusCode!, ...told });
      });
    });
    sent.on('error', failed);
    sent.end(question());
  });
}
