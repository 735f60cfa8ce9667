import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { readServe } from '../../gateway/config/read-serve.ts';
import { openGateway, type RunningGateway } from '../../gateway/open-gateway.ts';
import { KINDS } from '../../monitor/hub/kinds.ts';
import { bundledExample } from '../bundled-example.ts';
import type { CommandRun } from '../command.ts';
import { prepareFolder } from '../output.ts';
import type { Outcome, Verb } from '../verbs.ts';
import { httpDesk } from './desk.ts';
import type { DrillStep } from './rehearsal-stage.ts';
import { rehearse } from './rehearse.ts';
import { CHECKING, RAISED } from './rehearse-measures.ts';
import { lines, spanOf } from './show.ts';

/** `glacis incident drill`: everything from the attack to the proof, on a gateway of its own that is thrown away. */
export const drill: Verb = async (run): Promise<Outcome> => {
  const { given, terminal, signal } = run;
  const seed = given.whole('seed', 0) ?? 1;
  const out = given.text('out');
  if (out !== undefined) await prepareFolder(out);
  const folder = out === undefined ? await mkdtemp(join(tmpdir(), 'glacis-drill-')) : resolve(out);
  const steps: DrillStep[] = [];
  const told = (step: DrillStep) => {
    steps.push(step);
    terminal.clear();
    terminal.say(lines([`${step.ok ? 'ok     ' : 'NOT OK '} ${step.step}: ${step.proof}`]).trimEnd());
  };
  try {
    const { gateway, switchTo } = await throwAway(folder);
    try {
      const [unloaded] = gateway.notLoaded;
      if (unloaded) throw new GlacisError('run/failed', `drill: ${unloaded.because}`);
      const trustFile = join(folder, 'log.trust.json');
      await copyFile(gateway.trustFile, trustFile);
      const keyed = async (principal: string, tenant = 'drill', roles: readonly string[] = []) => {
        const scope = {
          models: ['signs', CHECKING],
          operations: ['infer', 'metadata', 'ready'],
          detail: 'scores',
        } as const;
        const wish = { principal, tenant, scope, ...(roles.length > 0 && { roles }) };
        const { text, record } = await gateway.keys.create(wish, { id: 'drill', mayGrant: true });
        return { text, id: record.id };
      };
      const deskOf = async (person: string) =>
        httpDesk(gateway.addresses.management, (await keyed(person, undefined, ['admin'])).text, signal);
      await rehearse({
        ...{ seed, signal, told, keyed, switchTo },
        rest: gateway.addresses.rest,
        desk: await deskOf('ann'),
        second: await deskOf('bob'),
        sameAgain: await deskOf('ann'),
        trust: await readFile(trustFile),
        keepAt: out === undefined ? undefined : join(folder, 'evidence.zip'),
        progress: terminal.progress,
      });
    } finally {
      await gateway.drain();
    }
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    told({
      step: 'drill',
      ok: false,
      proof: thrown instanceof Error ? thrown.message : String(thrown),
      took: 0,
    });
  } finally {
    if (out === undefined) await rm(folder, { recursive: true, force: true });
  }
  return outcomeOf(steps, run);
};

function outcomeOf(steps: readonly DrillStep[], { given }: CommandRun): Outcome {
  const good = steps.length > 0 && steps.every(({ ok }) => ok);
  const contained = steps.find(({ containedAfter }) => containedAfter !== undefined);
  return {
    json: {
      schema: 'glacis.incident.drill/1',
      ok: good,
      seed: given.whole('seed', 0) ?? 1,
      containedAfter: contained?.containedAfter,
      queries: contained?.queries,
      steps,
    },
    good,
    text: lines([
      good
        ? `all ${steps.length} steps are good; contained ${spanOf(contained?.containedAfter ?? 0)} after the first bad query, which was ${contained?.queries} queries in`
        : `${steps.filter(({ ok }) => !ok).length} of ${steps.length} steps are not good`,
    ]),
  };
}

/** A gateway with two versions of the bundled example: the first is in service, and the second when `switchTo` says so. */
async function throwAway(
  folder: string,
): Promise<{ readonly gateway: RunningGateway; readonly switchTo: (version: string) => Promise<unknown> }> {
  const example = await bundledExample();
  const asGiven = { asGiven: true };
  const bytesOnly = join(folder, 'constraints.json');
  await writeFile(
    bytesOnly,
    JSON.stringify({ schema: 'glacis.constraints/1', constraints: [{ type: '8-bit' }] }),
  );
  const serveWith = (use: string) => ({
    listen: { port: 0 },
    management: { port: 0 },
    log: { publishEvery: '100 ms', payloads: { keep: 'input' } },
    models: {
      signs: {
        versions: {
          1: { file: example.hardened, check: asGiven },
          2: { file: example.model, check: asGiven },
        },
        use,
      },
      [CHECKING]: { file: example.hardened, check: asGiven },
    },
    only: {
      signs: { verify: { model: CHECKING, share: 0, action: 'flag' } },
      [CHECKING]: { guards: { [RAISED]: { file: bytesOnly, range: [0, 1], action: 'flag' } } },
    },
    // One monitor, so that the drill says the same each time: the others need more traffic than a drill has.
    monitors: {
      ...Object.fromEntries(KINDS.filter(({ name }) => name !== WATCHED).map(({ name }) => [name, 'off'])),
      measured: example.monitors,
      sketch: { perSecond: 1_000_000, samples: 1 },
    },
    incidents: { fourEyes: { measures: ['rollback'] } },
  });
  let use = '1';
  const read = () => readServe(JSON.stringify({ serve: serveWith(use) }), 'drill');
  const gateway = await openGateway({
    config: read().config,
    dataFolder: join(folder, 'gateway'),
    folder: process.cwd(),
    env: process.env,
    home: homedir(),
    reread: async () => ({ config: read().config }),
  });
  return {
    gateway,
    switchTo(version) {
      use = version;
      return gateway.reload('drill');
    },
  };
}

/** The monitor that is rehearsed. */
const WATCHED = 'near-duplicates';
