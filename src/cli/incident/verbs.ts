import { setTimeout as sleep } from 'node:timers/promises';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import type { CaseDetail, Impact, Page, PolicyView, WhatIf } from '../../gateway/console/api.ts';
import { CASE_STATES, type Case } from '../../incident/case.ts';
import type { MadeBundle } from '../../incident/investigations.ts';
import { MEASURES } from '../../incident/order.ts';
import type { Given } from '../args.ts';
import type { CommandRun } from '../command.ts';
import { prepareFile } from '../output.ts';
import type { Outcome, Verb } from '../verbs.ts';
import { type Desk, expectBytes, expectJson, pathOf, remoteDesk } from './desk.ts';
import { impactLines, impactScope, within } from './impact-text.ts';
import { caseLine, caseText, lines, listText } from './show.ts';

/** A verb over a desk: that of a running server with `--url`, that of a data folder without. */
function atDesk(work: (desk: Desk, run: CommandRun, args: readonly string[]) => Promise<Outcome>): Verb {
  return async (run, args) => {
    const url = run.given.text('url');
    if (url !== undefined && run.given.text('on') !== undefined)
      throw new GlacisError(
        'option/invalid',
        '--on: expected no --url with it: a server replays on a version that it has loaded (--against)',
      );
    const desk =
      url === undefined
        ? await (await import('./folder-desk.ts')).folderDesk(run.given, run.signal)
        : await remoteDesk(run.given, url, run.signal);
    try {
      return await work(desk, run, args);
    } finally {
      await desk.close();
    }
  };
}

const caseAt = (id: string) => `/api/cases/${encodeURIComponent(id)}`;

/** `glacis incident list`: cases. */
export const list: Verb = atDesk(async (desk, { given }) => {
  const query = {
    state: given.choice('state', CASE_STATES),
    kind: given.text('kind'),
    find: given.text('find'),
    before: given.text('before'),
    most: given.whole('limit', 1),
  };
  const page = await expectJson<Page<Case>>(desk, 'GET', pathOf('/api/cases', query));
  return { json: { schema: 'glacis.incident.list/1', ...page }, text: listText(page) };
});

/** `glacis incident show`: a case with everything in it. */
export const show: Verb = atDesk(async (desk, _run, [id = '']) => {
  const detail = await expectJson<CaseDetail>(desk, 'GET', caseAt(id));
  return { json: { schema: 'glacis.incident.case/1', ...detail }, text: caseText(detail) };
});

/** `glacis incident act`: a measure. */
export const act: Verb = atDesk(async (desk, { given }, [id = '', name = '']) => {
  const measure = MEASURES.find((each) => each === name);
  if (measure === undefined)
    throw new GlacisError('option/unknown', `act: expected ${MEASURES.join(', ')}, got '${name}'`);
  const hours = given.numbers('hours')?.[0];
  const guard = given.text('guard');
  const wish = {
    measure,
    target: {
      principal: given.text('principal'),
      tenant: given.text('tenant'),
      credential: given.text('credential'),
      address: given.text('address'),
      model: given.text('model'),
    },
    perMinute: given.numbers('per-minute')?.[0],
    detail: measure === 'degrade' ? (given.choice('detail', ['label', 'scores']) ?? 'label') : undefined,
    guard:
      guard === undefined ? undefined : { name: guard, strictness: given.numbers('strictness')?.[0] ?? 0.5 },
    because: given.text('because') ?? 'by hand',
    until: hours === undefined ? undefined : Math.round(Date.now() + hours * 3_600_000),
  };
  return acted(await expectJson<ActJson>(desk, 'POST', `${caseAt(id)}/act`, { wish }));
});

/** `glacis incident lift`: the end of a measure. */
export const lift: Verb = atDesk(async (desk, _run, [id = '', order = '']) =>
  acted(await expectJson<ActJson>(desk, 'POST', `${caseAt(id)}/lift`, { order })),
);

/** `glacis incident approve`: the second person agrees. */
export const approve: Verb = atDesk(async (desk, _run, [id = '', which = '']) =>
  acted(await expectJson<ActJson>(desk, 'POST', `${caseAt(id)}/approve`, { act: which })),
);

/** `glacis incident decline`: the second person does not. */
export const decline: Verb = atDesk(async (desk, _run, [id = '', which = '']) =>
  changed(await expectJson<Case>(desk, 'POST', `${caseAt(id)}/decline`, { act: which })),
);

/** `glacis incident comment`. */
export const comment: Verb = atDesk(async (desk, _run, [id = '', text = '']) => {
  const json = await expectJson<object>(desk, 'POST', `${caseAt(id)}/comment`, { text });
  return { json, text: 'written\n' };
});

/** `glacis incident close`: the end of a case, with a verdict. */
export const close: Verb = atDesk(async (desk, { given }, [id = '']) => {
  const verdict = given.choice('verdict', ['attack', 'drift', 'fault', 'false-alarm']);
  if (verdict === undefined)
    throw new GlacisError('option/invalid', '--verdict: expected attack, drift, fault or false-alarm');
  const { case: before } = await expectJson<CaseDetail>(desk, 'GET', caseAt(id));
  const wish = { state: 'closed', verdict, revision: before.revision };
  return changed(await expectJson<Case>(desk, 'POST', `${caseAt(id)}/state`, wish));
});

/** `glacis incident impact`: which decisions were affected. */
export const impact: Verb = atDesk(async (desk, run, [id = '']) => {
  const { given } = run;
  const scope = { ...impactScope(given), feed: given.text('feed'), data: given.text('data') };
  const wish = { scope, against: given.text('against') ?? desk.against };
  const begun = await expectJson<Impact>(desk, 'POST', `${caseAt(id)}/impact`, wish);
  const done = await follow<Impact>(desk, `/api/impacts/${begun.id}`, run);
  return {
    json: { schema: 'glacis.incident.impact/1', ...done },
    good: done.state === 'done',
    text: lines(impactLines(done)),
  };
});

/** `glacis incident bundle`: the evidence of a case in one file. */
export const bundle: Verb = atDesk(async (desk, { given }, [id = '']) => {
  const out = given.text('out') ?? `${id}.zip`;
  await prepareFile(out);
  const made = await expectJson<MadeBundle>(desk, 'POST', `${caseAt(id)}/bundle`, {});
  const bytes = await expectBytes(desk, 'GET', `${caseAt(id)}/bundle`);
  await writeAtomically(out, (write) => write(bytes), { mode: 0o600 });
  return {
    json: { schema: 'glacis.incident.bundle/1', ...made, file: out },
    text: lines([`${out}: ${made.bytes} bytes, ${made.digest}`]),
  };
});

/** `glacis incident what-if`: the past under another guard, budget or rate. */
export const whatIf: Verb = atDesk(async (desk, run, [kind = '']) => {
  const { given } = run;
  const number = (name: string): number => {
    const value = given.numbers(name)?.[0];
    if (value === undefined) throw new GlacisError('option/invalid', `what-if ${kind}: expected --${name}`);
    return value;
  };
  const per = given.text('per') ?? 'principal';
  const changes: Readonly<Record<string, () => object | Promise<object>>> = {
    guard: async () => ({
      kind,
      guard: given.text('guard') ?? '',
      threshold: given.numbers('threshold')?.[0] ?? (await thresholdOf(desk, given)),
      action: given.choice('action', ['flag', 'degrade', 'refuse']) ?? 'refuse',
    }),
    budget: () => ({ kind, per, queries: number('queries'), window: number('days') * 86_400_000 }),
    rate: () => {
      const samples = given.numbers('samples')?.[0];
      const most = samples === undefined ? { requests: number('requests') } : { samples };
      return { kind, per, ...most, every: number('seconds') * 1000 };
    },
  };
  const made = Object.hasOwn(changes, kind) ? changes[kind] : undefined;
  if (made === undefined)
    throw new GlacisError('option/unknown', `what-if: expected guard, budget or rate, got '${kind}'`);
  const { model, from = 0, to = Date.now() } = within(given);
  const begun = await expectJson<WhatIf>(desk, 'POST', '/api/what-if', {
    ...{ model, from, to },
    change: await made(),
  });
  const done = await follow<WhatIf>(desk, `/api/what-if/${begun.id}`, run);
  return {
    json: { schema: 'glacis.incident.what-if/1', ...done },
    good: done.state === 'done',
    text: lines([
      ...(done.state === 'failed' ? [`failed: ${done.because}`] : []),
      `${done.changed.reduce((sum, { calls }) => sum + calls, 0)} of ${done.looked} calls would have ended otherwise`,
      ...done.changed.map(
        ({ from: before, to: after, calls, samples }) =>
          `  ${before} → ${after}: ${calls} calls, ${samples} samples`,
      ),
      ...done.principals
        .slice(0, 20)
        .map(
          ({ principal, changed: n, calls, inCases }) =>
            `  ${principal}: ${n} of ${calls}${inCases ? ' (in a case)' : ''}`,
        ),
      ...(done.caveats ?? []).map((each) => `note: ${each}`),
    ]),
  };
});

/** The threshold that a guard has, or was calibrated to. Errors: `option/invalid` where there is none. */
async function thresholdOf(desk: Desk, given: Given): Promise<number> {
  const [guard, model] = [given.text('guard'), given.text('model')];
  const { status, json } = await desk.call('GET', '/api/policy');
  const rows = status === 200 ? (json as PolicyView).guards : [];
  const row = rows.find((each) => each.guard === guard && (model === undefined || each.model === model));
  if (row?.threshold !== undefined) return row.threshold;
  throw new GlacisError(
    'option/invalid',
    'what-if guard: expected --threshold, because the guard has none of its own',
  );
}

type ActJson = {
  readonly order?: { readonly id: string; readonly measure: string };
  readonly asked?: string;
  readonly case: Case;
};

function acted(json: ActJson): Outcome {
  const said =
    json.asked === undefined
      ? `done: ${json.order?.measure} (${json.order?.id})`
      : `waits for a second person: act ${json.asked}`;
  return { json, text: lines([said, caseLine(json.case)]) };
}

function changed(json: Case): Outcome {
  return { json, text: lines([caseLine(json)]) };
}

/** Asks until it has ended. */
async function follow<
  T extends { readonly state: string; readonly progress?: readonly [number, number] | undefined },
>(desk: Desk, path: string, { terminal, signal }: CommandRun): Promise<T> {
  for (;;) {
    const found = await expectJson<T>(desk, 'GET', path);
    if (found.state !== 'running') return found;
    const [done = 0, of = 0] = found.progress ?? [];
    terminal.progress({ label: 'reading the log', done, total: Math.max(of, 1) });
    await sleep(300, undefined, { signal });
  }
}
