/**
 * `node scripts/masking.ts SET [N] [WORDS]`: what defences hide and whether Glacis says so, as rows of a table. SET is development,
 * held-out, second-held-out or honest; N samples each (64 without); WORDS in the names of those to run. Needs GLACIS_SHARED (test/masking/bases.ts). With
 * EVIDENCE=1 what every suspicious check saw. About half a minute a row on one core. With LEVEL=standard a whole assessment of that level instead, AutoAttack and its checks of itself
 * included: clean and worst-case accuracy, findings, verdict; some minutes a row. With SURROGATE=1 examples of another model (`surrogateFor`) join, and a row says what the
 * check `transfer` saw; ATTACKS names the attacks in place of the quick level's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assess } from '../src/assess/assess.ts';
import { LEVELS, type Level } from '../src/assess/levels.ts';
import { writeModel } from '../src/onnx/write.ts';
import { startEngine } from '../src/runtime/engine.ts';
import { type Base, HONEST, openBase, surrogateFor } from '../test/masking/bases.ts';
import type { Defence } from '../test/masking/defence.ts';
import { DEVELOPMENT } from '../test/masking/development.ts';
import { HELD_OUT, HELD_OUT_HONEST } from '../test/masking/held-out.ts';
import { measureHiding } from '../test/masking/hiding.ts';
import { SECOND_HELD_OUT, SECOND_HELD_OUT_HONEST } from '../test/masking/second-held-out.ts';
import { checkTrial, openTrial } from '../test/masking/trial.ts';

const [set = 'development', n = '64', words = ''] = process.argv.slice(2);
const SETS: Readonly<Record<string, readonly Defence[]>> = {
  development: DEVELOPMENT,
  'held-out': [...HELD_OUT, ...HELD_OUT_HONEST],
  'second-held-out': [...SECOND_HELD_OUT, ...SECOND_HELD_OUT_HONEST],
  honest: HONEST.map((on) => ({ id: 'none', on, apply: (model) => model })),
};
const level: Level | undefined = LEVELS.find((name) => name === process.env.LEVEL);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const engine = startEngine({ threads: 1 });
try {
  for (const defence of SETS[set] ?? []) {
    if (!`${defence.id} on ${defence.on}`.includes(words)) continue;
    const base = await openBase(defence.on, Number(n));
    const radii = set === 'honest' ? base.eps : [base.eps[1]];
    for (const eps of radii) {
      if (level !== undefined) {
        process.stdout.write(await assessedRow(defence, base, eps, level));
        continue;
      }
      if (process.env.SURROGATE) {
        process.stdout.write(await surrogateRow(defence, base, eps));
        continue;
      }
      const hiding = set === 'honest' ? undefined : await measureHiding(engine, defence, base, eps);
      const trial = await openTrial(engine, defence.apply(base.model), base);
      const { checks, masked, seconds } = await checkTrial(trial, eps);
      await trial.close();
      const fired = checks.filter(({ masking, verdict }) => masking && verdict === 'suspicious');
      const figures = hiding
        ? `${percent(hiding.clean)} | ${percent(hiding.unaware)} | ${percent(hiding.aware)} | ${hiding.hides ? 'yes' : 'no'}`
        : `${eps.toPrecision(3)}`;
      process.stdout.write(
        `| ${defence.id} | ${defence.on} | ${figures} | ${fired.map(({ id }) => id).join(', ')} | ${masked ? 'masked' : 'not masked'} |\n`,
      );
      process.stderr.write(`${seconds.toFixed(1)} s\n`);
      if (process.env.EVIDENCE)
        for (const { id, evidence } of checks.filter(({ verdict }) => verdict === 'suspicious'))
          process.stderr.write(`    ${id}: ${evidence}\n`);
    }
  }
} finally {
  await engine.close();
}

/** What the check `transfer` says where another model's examples are there. */
async function surrogateRow({ id, on, apply }: Defence, base: Base, eps: number): Promise<string> {
  const trial = await openTrial(engine, apply(base.model), base);
  const from = surrogateFor(on);
  const surrogate = await openTrial(engine, (await openBase(from, base.labels.length)).model, base);
  try {
    const { checks, masked } = await checkTrial(trial, eps, {
      surrogate,
      ...(process.env.ATTACKS && { attacks: process.env.ATTACKS }),
    });
    const { verdict, evidence } = checks.find((check) => check.id === 'transfer')!;
    const others = checks.filter(
      (check) => check.masking && check.verdict === 'suspicious' && check.id !== 'transfer',
    );
    return `| ${id} | ${on} | ${from} | ${eps.toPrecision(3)} | ${evidence} | ${verdict} | ${others.length} | ${masked ? 'masked' : 'not masked'} |\n`;
  } finally {
    await trial.close();
    await surrogate.close();
  }
}

/** A row of a whole assessment. */
async function assessedRow(
  { id, on, apply }: Defence,
  { model, data, labels }: Base,
  eps: number,
  level: Level,
): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'glacis-masking-'));
  try {
    const file = join(out, 'defended.onnx');
    await writeModel(file, apply(model));
    const { assessment } = await assess({
      ...{ model: file, data, n: labels.length, norm: 'linf', eps: [eps], level, out, threads: 1 },
      ...(data.endsWith('.npz') && { layout: 'nhwc' as const }),
    });
    const [worst] = assessment.worstCases;
    const said = assessment.findings.map((finding) => finding.id.replace('evasion/', ''));
    const verdict = assessment.reliability?.masked ? 'masked' : 'not masked';
    return `| ${id} | ${on} | ${labels.length} | ${eps.toPrecision(3)} | ${percent(worst!.cleanAccuracy)} | ${percent(worst!.robustAccuracy)} | ${said.join(', ')} | ${verdict} |\n`;
  } finally {
    rmSync(out, { recursive: true });
  }
}
