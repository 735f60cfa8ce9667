import { setTimeout as sleep } from 'node:timers/promises';
import { GlacisError } from '../../core/error.ts';
import type { NotLoaded } from '../../gateway/backend/load-version.ts';
import type { ModelStatus } from '../../gateway/backend/model-status.ts';
import type { AskedRollback } from '../../gateway/console/api.ts';
import type { Health } from '../../gateway/manage/health-routes.ts';
import { visible } from '../../report/markup.ts';
import type { CommandRun } from '../command.ts';
import { accepted, type ManagementSide, managementKey, managementSide } from '../management-side.ts';
import type { Outcome, Verb } from '../verbs.ts';

/** Where a server has its management side unless told otherwise. */
const USUAL = 'http://127.0.0.1:8082';
/** Milliseconds between two looks whether a server has ended. */
const LOOK = 100;

/** Asks a route and takes no refusal for an answer. */
type Ask = <T>(method: 'GET' | 'POST', path: string, body?: object) => Promise<T>;

/** A verb that asks the management side. */
function asking(
  work: (ask: Ask, run: CommandRun, args: readonly string[], side: ManagementSide) => Promise<Outcome>,
): Verb {
  return async (run, args) => {
    const { given, signal } = run;
    const key = await managementKey(given, 'gateway');
    const side = managementSide(given.text('url') ?? USUAL, key, { signal, option: '--url' });
    const ask: Ask = async <T>(method: 'GET' | 'POST', path: string, body?: object) =>
      accepted('gateway', await side.call(method, path, body)).json as T;
    return work(ask, run, args, side);
  };
}

const routeOf = (model: string, act: string) => `/api/models/${encodeURIComponent(model)}/${act}`;

/** `glacis gateway status`: models and versions, and whether each part is well; bad where one is not. */
export const status: Verb = asking(async (ask, _run, _args, side) => {
  const { models } = await ask<{ readonly models: readonly ModelStatus[] }>('GET', '/api/models');
  // 503 says that something is not well, and what.
  const reply = accepted('gateway', await side.call('GET', '/health'), [503]);
  const { ok, parts } = reply.json as { readonly ok: boolean; readonly parts: readonly Health[] };
  const ill = parts
    .filter((part) => !part.ok)
    .map(({ part, because }) => `${part}: ${because ?? 'not well'}`);
  return {
    json: { schema: 'glacis.gateway.status/1', ok, parts, models },
    text: textOf([...models.map(modelLine), ...(ill.length > 0 ? ill : ['all parts are well'])]),
    good: ok,
  };
});

/** `glacis gateway reload`: the changed file goes into force; bad where a model of it was not loaded. */
export const reload: Verb = asking(async (ask) => {
  const { notLoaded } = await ask<{ readonly notLoaded: readonly NotLoaded[] }>('POST', '/api/reload', {});
  return {
    json: { schema: 'glacis.gateway.reload/1', notLoaded },
    text: textOf([
      'the configuration is in force',
      ...notLoaded.map(({ model, version, because }) => `not loaded: ${model}@${version}: ${because}`),
    ]),
    good: notLoaded.length === 0,
  };
});

/** `glacis gateway canary`: a version for a share of the callers, or the end of that. */
export const canary: Verb = asking(async (ask, { given }, [model = '', version]) => {
  const share = given.numbers('share');
  if (share !== undefined && version === undefined)
    throw new GlacisError('option/invalid', '--share: expected a VERSION with it, got none');
  if (share !== undefined && (share.length !== 1 || share[0]! < 0 || share[0]! > 1))
    throw new GlacisError(
      'option/invalid',
      `--share: expected a share from 0 to 1, got '${given.text('share')}'`,
    );
  const wish = { ...(version !== undefined && { version }), ...(share && { share: share[0] }) };
  const now = await ask<ModelStatus>('POST', routeOf(model, 'canary'), wish);
  return { json: { schema: 'glacis.gateway.model/1', ...now }, text: textOf([modelLine(now)]) };
});

/** `glacis gateway rollback`: the version before; where the policy wants two persons, a second one must agree first. */
export const rollback: Verb = asking(async (ask, { given }, [model = '']) => {
  const because = given.text('because');
  const wish = because === undefined ? {} : { because };
  const now = await ask<ModelStatus | AskedRollback>('POST', routeOf(model, 'rollback'), wish);
  return 'use' in now
    ? { json: { schema: 'glacis.gateway.model/1', ...now }, text: textOf([modelLine(now)]) }
    : {
        json: { schema: 'glacis.gateway.rollback-asked/1', ...now },
        text: textOf([
          `asked for in case ${now.case.id}: another person must approve it (glacis incident approve)`,
        ]),
        good: false,
      };
});

/** `glacis gateway drain`: an orderly end. */
export const drain: Verb = asking(async (ask, { given, signal }, _args, side) => {
  await ask('POST', '/api/drain', {});
  const wait = given.flag('wait');
  while (wait && (await isThere(side, signal))) await sleep(LOOK, undefined, { signal });
  return {
    json: { schema: 'glacis.gateway.drain/1', draining: true, ended: wait },
    text: textOf([wait ? 'the server has ended' : 'the server ends once what is in work is answered']),
  };
});

async function isThere(side: ManagementSide, signal: AbortSignal): Promise<boolean> {
  try {
    await side.call('GET', '/health/live');
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof GlacisError && thrown.code === 'endpoint/unavailable') return false;
    throw thrown;
  }
}

/** A model in a line: what answers, and what else could. */
function modelLine({ model, use, canary, shadow, previous, versions }: ModelStatus): string {
  const more = [
    ...(canary ? [`canary ${canary.version} for ${percent(canary.share)} of the callers`] : []),
    ...(shadow ? [`shadow ${shadow.version} for ${percent(shadow.share)} of the requests`] : []),
    ...(previous ? [`before: ${previous.version}`] : []),
    ...versions.flatMap(({ version, stopped }) =>
      stopped === undefined ? [] : [`${version} stopped: ${stopped}`],
    ),
  ];
  const digest = versions.find(({ version }) => version === use)?.digest ?? '';
  return [`${model}: ${use}`, digest, ...more].join('  ');
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

/** Lines in which nothing of the server's can pass for the terminal's own. */
function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${visible(line).replaceAll('\n', '\ufffd')}\n`).join('');
}
