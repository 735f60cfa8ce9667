import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { readArgs } from './args.ts';
import { command } from './privacy.ts';
import { listedRuns, parseRuns, runFrom } from './private-runs.ts';

const given = (line: string) => readArgs(line.split(' '), command.options);

describe('the run of the command line', () => {
  it('comes from a rate and steps, or from batch, samples and epochs', () => {
    expect(runFrom(given('--rate 0.01 --noise 1.5 --steps 7'))).toEqual({ rate: 0.01, noise: 1.5, steps: 7 });
    expect(runFrom(given('--batch 240 --samples 60000 --noise 1.1 --epochs 60'))).toEqual({
      rate: 0.004,
      noise: 1.1,
      steps: 15000,
    });
  });

  it('counts a step that an epoch ends within', () => {
    expect(runFrom(given('--batch 300 --samples 1000 --epochs 1')).steps).toBe(4);
  });

  it.each([
    ['--batch 10', /--samples beside it/],
    ['--batch 11 --samples 10', /at most the 10 samples/],
    ['--batch 1 --samples 10 --rate 0.1', /without --rate/],
    ['--epochs 2', /--rate, or --batch/],
    ['--epochs 2 --steps 3 --rate 0.1', /without --steps/],
    ['--epochs 0 --rate 0.1', /above 0/],
    ['--rate 0.1,0.2', /one number/],
  ])('is refused: %s', (line, message) => {
    expect(() => runFrom(given(line))).toThrow(message);
  });

  it('may have others before it', () => {
    expect(listedRuns(given('--run 0.1,2,30 --run 0.2,3,40'))).toEqual([
      { rate: 0.1, noise: 2, steps: 30 },
      { rate: 0.2, noise: 3, steps: 40 },
    ]);
    for (const text of ['0.1,2', '0.1,2,3,4', 'a,b,c', '0.1,,3', '2,1,1', '0.1,1,1.5'])
      expect(() => listedRuns(given(`--run ${text}`)), text).toThrow(GlacisError);
  });
});

describe('a file of runs', () => {
  it('is a list of complete runs and nothing else', () => {
    expect(parseRuns('[{"rate":0.1,"noise":2,"steps":30}]', 'f')).toEqual([
      { rate: 0.1, noise: 2, steps: 30 },
    ]);
    for (const text of [
      '',
      '{}',
      '[1]',
      '[null]',
      '[{"rate":0.1,"noise":2}]',
      '[{"rate":0.1,"noise":2,"steps":30,"x":1}]',
      '[{"rate":"0.1","noise":2,"steps":30}]',
      '[{"rate":0.1,"noise":2,"steps":-1}]',
      '[{"rate":1e999,"noise":2,"steps":1}]',
    ])
      expect(() => parseRuns(text, 'f'), text).toThrow(GlacisError);
  });

  it('gives runs within their ranges or an error, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          for (const run of parseRuns(text, 'f')) expect(run.rate > 0 && run.rate <= 1).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
        }
      }),
    );
  });
});
