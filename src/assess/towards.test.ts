import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel, writeLinearData } from '../../test/end-to-end/small-models.ts';
import { openFile } from '../data/byte-source.ts';
import { openDataset } from '../data/index.ts';
import { openNpz } from '../data/npz.ts';
import { writeModel } from '../onnx/write.ts';
import { renderHtml } from '../report/html.ts';
import { renderText } from '../report/text.ts';
import { type AssessOptions, assess } from './assess.ts';
import { attackExamples } from './attack-examples.ts';
import { compareAssessments } from './compare/compare.ts';
import { parseAssessment, toJson } from './result-json.ts';
import { checkTowards, NO_TARGET, TOWARDS, type Towards, targetsOf, towardsFrom } from './towards.ts';

const facts = (labels: readonly number[], classes: number, seed = 0) => ({
  labels,
  classes,
  seed,
  scores: Float32Array.from({ length: labels.length * classes }, (_, i) => (i * 7) % 5),
  firstSample: 0,
});

describe('where samples are led', () => {
  it('is read from a number or a name, and refused otherwise', () => {
    expect(towardsFrom('7')).toBe(7);
    for (const name of TOWARDS) expect(towardsFrom(name)).toBe(name);
    for (const wrong of ['', '-1', '1.5', 'cat', '1e3', '9999999999'])
      expect(() => towardsFrom(wrong)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
    for (const task of ['binary', 'multilabel', 'regression'] as const)
      expect(() => checkTowards('next', task, 3)).toThrow(/one of several classes/);
    expect(() => checkTowards(3, 'classification', 3)).toThrow(/a class from 0 to 2, got 3/);
    checkTowards(2, 'classification', 3);
  });

  it('is a class, never the label, and a sample’s own whatever comes before it', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }).chain((classes) =>
          fc.record({
            classes: fc.constant(classes),
            labels: fc.array(fc.nat(classes - 1), { minLength: 1, maxLength: 20 }),
            towards: fc.constantFrom<Towards>(...TOWARDS, classes - 1),
            seed: fc.nat(100),
          }),
        ),
        ({ classes, labels, towards, seed }) => {
          const given = facts(labels, classes, seed);
          const targets = targetsOf(towards, given);
          for (const [i, target] of targets.entries()) {
            expect(target).not.toBe(labels[i]);
            if (target === NO_TARGET) expect(towards).toBe(labels[i]);
            else expect(target).toBeLessThan(classes);
          }
          const last = labels.length - 1;
          const alone = targetsOf(towards, {
            ...given,
            labels: labels.slice(last),
            scores: given.scores.slice(last * classes),
            firstSample: last,
          });
          expect(alone[0]).toBe(targets[last]);
        },
      ),
    ));

  it('is the least score, the class behind the label, or drawn evenly', () => {
    const given = { ...facts([0, 2], 3), scores: Float32Array.of(-5, 1, 0, 3, 1, 1) };
    expect([...targetsOf('least-likely', given)]).toEqual([2, 1]);
    expect([...targetsOf('next', given)]).toEqual([1, 0]);
    const drawn = targetsOf('random', facts(new Array(900).fill(1), 4));
    for (const k of [0, 2, 3]) expect(drawn.filter((t) => t === k).length).toBeGreaterThan(240);
    expect(targetsOf('random', facts(new Array(900).fill(1), 4, 1))).not.toEqual(drawn);
  });
});

describe('a targeted assessment', () => {
  let home: string;
  const at = (name: string) => join(home, name);
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'glacis-towards-'));
    await writeModel(at('linear.onnx'), linearModel());
    await writeLinearData(at('data.npz'), 60);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const options = (more: Partial<AssessOptions> = {}): AssessOptions => ({
    model: at('linear.onnx'),
    data: at('data.npz'),
    range: [0, 1],
    attacks: [
      { name: 'pgd', options: { steps: 10 } },
      { name: 'square', options: { queries: 60 } },
      { name: 'fab', options: { steps: 10 } },
    ],
    norm: 'linf',
    eps: [0.2],
    threads: 1,
    out: home,
    ...more,
  });
  const column = async (file: string, key: string) => {
    const source = await openFile(at(file));
    try {
      const { arrays } = await openNpz(source, [key], file, readFileSync(at(file)).length);
      return [...((await arrays[0]!.read(0, arrays[0]!.shape[0]!)) as Iterable<number>)];
    } finally {
      await source.close();
    }
  };

  it.each(['next', 1] as const)(
    'towards %s counts what became the target, sample by sample',
    async (towards) => {
      const { assessment } = await assess(options({ towards }));
      for (const { attack, perSample, robustAccuracy, cleanAccuracy, n } of assessment.results) {
        const [labels, targets, predicted, success, correct] = await Promise.all(
          ['label', 'target', 'prediction', 'success', 'clean_correct'].map((key) => column(perSample, key)),
        );
        for (const [i, target] of targets!.entries()) {
          expect(target).toBe(towards === 'next' ? (labels![i]! + 1) % 3 : labels![i] === 1 ? NO_TARGET : 1);
          if (success![i]) expect(predicted![i]).toBe(target);
        }
        const fell = success!.reduce((sum, one) => sum + Number(one), 0);
        expect(fell).toBeGreaterThan(0);
        // A nearest example counts within eps only.
        if (attack !== 'fab') expect(Math.round((cleanAccuracy - robustAccuracy) * n)).toBe(fell);
        const attacked = targets!.filter((target, i) => correct![i] && target !== NO_TARGET).length;
        expect(assessment.towards).toEqual({ choice: `${towards}`, attacked });
      }
      expect(assessment.results.find(({ attack }) => attack === 'fab')!.minimum!.n).toBe(
        assessment.towards!.attacked,
      );
      const { masked, checks } = assessment.reliability!;
      expect(masked).toBe(false);
      const verdictOf = (id: string) => checks.find((check) => check.id === id)?.verdict;
      expect(['local-agreement', 'zero-gradients', 'larger-eps'].map(verdictOf)).toEqual([
        'good',
        'good',
        'good',
      ]);
      expect(['without-gradients', 'noise'].map(verdictOf)).toEqual(['unknown', 'unknown']);
      const [finding] = assessment.findings;
      expect(finding).toMatchObject({
        id: 'evasion/led-to-target',
        title: expect.stringMatching(/can be led to/),
      });
      expect(parseAssessment(toJson(assessment))).toEqual(assessment);
      expect(renderText(assessment)).toMatch(/can be led to (class 1|the class after the label)/);
      expect(renderHtml(assessment)).toMatch(/It is about one wrong answer only/);
    },
  );

  it('goes on from a checkpoint to the same result, and to that of the same goal only', async () => {
    const seconds = (text: string) =>
      text.replace(/"(?:seconds|startedAt|finishedAt)": [^\n]*|"secondsToSuccess": \[[^\]]*\]/g, '');
    const whole = toJson((await assess(options({ towards: 'least-likely' }))).assessment);
    const stop = new AbortController();
    const stopped = await assess(
      options({
        towards: 'least-likely',
        signal: stop.signal,
        progress: ({ label, done }) => label.startsWith('square') && done > 5 && stop.abort('the test'),
      }),
    );
    expect(stopped.assessment.status).toBe('partial');
    await expect(assess(options({ towards: 'next', resume: true }))).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringMatching(/towards differ/),
    });
    const { assessment } = await assess(options({ towards: 'least-likely', resume: true }));
    expect(seconds(toJson(assessment)).replaceAll(/"queries": \d+/g, '')).toBe(
      seconds(whole).replaceAll(/"queries": \d+/g, ''),
    );
  });

  it('finds no more than leading away from the label does, and is compared with its like only', async () => {
    const files: string[] = [];
    const robust: number[] = [];
    for (const towards of [0, undefined]) {
      const out = at(`to-${towards}`);
      mkdirSync(out);
      const { assessment } = await assess(options({ towards, out }));
      files.push(join(out, 'assessment.json'));
      robust.push(assessment.worstCases[0]!.robustAccuracy);
      writeFileSync(files.at(-1)!, toJson(assessment));
    }
    expect(robust[0]).toBeGreaterThanOrEqual(robust[1]!);
    await expect(compareAssessments([files[0]!, files[0]!])).resolves.toMatchObject({ paired: true });
    await expect(compareAssessments(files)).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringMatching(/expected attacks that lead to class 0 .* away from the label/),
    });
  });

  it('of a class that is not there is refused', async () => {
    await expect(assess(options({ towards: 3 }))).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('saves examples with their targets', async () => {
    const out = at('led.npz');
    const summary = await attackExamples({
      ...options(),
      eps: 0.3,
      attack: { name: 'pgd', options: { steps: 10 } },
      towards: 2,
      out,
    });
    const [y, target, prediction, success, queries] = await Promise.all(
      ['y', 'target', 'prediction', 'success', 'queries'].map((key) => column('led.npz', key)),
    );
    expect(target).toEqual(y!.map((label) => (label === 2 ? NO_TARGET : 2)));
    const led = success!.filter(Boolean).length;
    expect(led).toBeGreaterThan(0);
    expect(prediction!.filter((p, i) => success![i] && p !== 2)).toEqual([]);
    expect(summary.towards).toMatchObject({ choice: '2', led });
    expect(led).toBeLessThanOrEqual(summary.towards!.attacked);
    // Ten steps and a last look at most; samples that were not attacked were not asked about.
    expect(Math.max(...queries!)).toBeLessThanOrEqual(11);
    for (const [i, asked] of queries!.entries()) if (success![i]) expect(asked).toBeGreaterThan(0);
    expect(queries!.filter((asked) => asked > 0).length).toBe(summary.towards!.attacked);
    const read = await openDataset(out);
    await read.close();
  });
});
