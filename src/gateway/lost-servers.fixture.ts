import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../core/until.fixture.ts';
import { auditLog, folderSource, openLog, parseVerifierKey } from '../ledger/index.ts';
import { readServe } from './config/read-serve.ts';
import { openProcessLog } from './observe/process-log.ts';
import { openGateway, type RunningGateway } from './open-gateway.ts';
import { logFolder } from './record/log-folder.ts';

/** Gateways of the layout. */
export const REPLICAS = 2;
/** Principals that ask without pause, each of a gateway after the other. */
export const ASKERS: readonly string[] = ['ann', 'ben', 'spender'];
/** Asks as fast as answers come, and has a budget that it may use up. */
export const SPENDER = 'spender';
/** Answers of each caller that show how things stand. */
const TELLING = 6;

/** A question and what came back. */
interface Answered {
  readonly principal: string;
  readonly phase: string;
  /** The status, or why there is none. */
  readonly status: number | string;
  readonly decision: string;
  /** Of an answer: whether its likeliest class is the right one, and how much it told. */
  readonly right?: boolean;
  readonly detail?: string;
}

/** A decision of a log. */
interface Logged {
  readonly outcome: string;
  readonly because?: string;
}

/** Gateways with what they share, and callers who ask them without pause until told to stop. */
export interface AskedLayout {
  readonly asked: readonly Answered[];
  /** What is asked from now on belongs to this phase. */
  begin(phase: string): void;
  /** Waits until the newest answers of everybody, or of `who`, have this status; gives all of the phase. */
  all(status: number, who?: readonly string[]): Promise<readonly Answered[]>;
  /** Queries used of a principal's budget, as a gateway says. Errors: those of the management side. */
  usedBy(principal: string): Promise<number>;
  /** Ends the asking and the gateways; gives all decisions of their logs by id, after each log was verified as a whole. */
  finish(): Promise<ReadonlyMap<string, Logged>>;
  close(): Promise<void>;
}

/** Opens gateways before a model that doubles three numbers, and begins to ask. `sections` are laid over `serve`. */
export async function askedLayout(sections: object): Promise<AskedLayout> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-lost-'));
  const serve = { listen: { port: 0 }, management: { port: 0 }, identity: { keys: { refresh: '100 ms' } } };
  const { config } = readServe(JSON.stringify({ serve: { ...serve, ...sections } }), 'layout');
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'ab'.repeat(32), { mode: 0o600 });
  const gateways: RunningGateway[] = [];
  const dataOf = (i: number) => join(folder, `own${i}`, 'data');
  for (let i = 0; i < REPLICAS; i++) {
    mkdirSync(join(folder, `own${i}`));
    const places = { dataFolder: dataOf(i), secretFile, folder, home: folder };
    gateways.push(
      await openGateway({ config, ...places, env: {}, log: openProcessLog({ write: () => {} }) }),
    );
  }
  const keys = new Map<string, { readonly text: string; readonly id: string }>();
  for (const principal of [...ASKERS, 'admin']) {
    const wish = {
      ...{ principal, tenant: 'acme', roles: principal === 'admin' ? ['admin'] : [] },
      scope: { models: ['*'], operations: ['infer'], detail: 'scores' },
    } as const;
    const { text, record } = await gateways[0]!.keys.create(wish, { id: 'test', mayGrant: true });
    keys.set(principal, { text, id: record.id });
  }
  for (const gateway of gateways)
    for (const { id } of keys.values())
      await until(() => gateway.keys.list().some((known) => known.id === id));

  const asked: Answered[] = [];
  let [phase, isOver] = ['start', false];
  const ask = async (principal: string, gateway: RunningGateway): Promise<void> => {
    const at = phase;
    const best = Math.floor(Math.random() * 3);
    const inputs = [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [0, 0, 0].with(best, 2) }];
    try {
      const answer = await fetch(`${gateway.addresses.rest}/v2/models/m/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys.get(principal)!.text}`, 'content-type': 'application/json' },
        body: JSON.stringify({ inputs }),
      });
      const { outputs } = (await answer.json()) as {
        readonly outputs?: readonly { readonly data: number[]; readonly parameters?: { detail: string } }[];
      };
      const [output] = outputs ?? [];
      asked.push({
        ...{ principal, phase: at, status: answer.status },
        decision: answer.headers.get('glacis-decision')!,
        ...(output && {
          right: output.data.indexOf(Math.max(...output.data)) === best,
          detail: output.parameters!.detail,
        }),
      });
    } catch (thrown) {
      asked.push({ principal, phase: at, status: String(thrown), decision: '' });
    }
  };
  const loops = ASKERS.map(async (principal) => {
    for (let i = 0; !isOver; i++) {
      await ask(principal, gateways[i % REPLICAS]!);
      if (asked.at(-1)!.status !== 200 || principal !== SPENDER) await sleep(10);
    }
  });
  const quiet = async () => {
    isOver = true;
    await Promise.all(loops);
  };
  return {
    asked,
    begin(name) {
      phase = name;
    },
    async all(status, who = ASKERS) {
      const here = () => asked.filter((each) => each.phase === phase);
      const newest = (principal: string) =>
        here()
          .filter((each) => each.principal === principal)
          .slice(-TELLING);
      const stands = (principal: string) =>
        newest(principal).length === TELLING && newest(principal).every((each) => each.status === status);
      await until(() => who.every(stands));
      return here();
    },
    async usedBy(principal) {
      const answer = await fetch(
        `${gateways[0]!.addresses.management}/api/budgets?principal=${principal}&tenant=acme&model=m`,
        { headers: { authorization: `Bearer ${keys.get('admin')!.text}` } },
      );
      if (!answer.ok) throw new Error(`${answer.status}`);
      const uses = (await answer.json()) as readonly { readonly scope: string; readonly used: number }[];
      return uses.find(({ scope }) => scope === 'principal')!.used;
    },
    async finish() {
      await quiet();
      await Promise.all(gateways.map((gateway) => gateway.drain()));
      const decisions = new Map<string, Logged>();
      for (let i = 0; i < REPLICAS; i++) {
        const { log: place, trustFile } = logFolder(join(dataOf(i), 'record'));
        const { origin, keys: trusted } = JSON.parse(readFileSync(trustFile, 'utf8'));
        const source = folderSource(place);
        const log = await openLog(source, { origin, keys: trusted.map(parseVerifierKey) });
        await auditLog(log, source);
        for await (const bytes of log.entries()) {
          const { decision } = JSON.parse(Buffer.from(bytes).toString());
          if (decision !== undefined) decisions.set(decision.id, decision);
        }
      }
      return decisions;
    },
    async close() {
      await quiet();
      await Promise.all(gateways.map((gateway) => gateway.drain().catch(() => {})));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
