import { readFile } from 'node:fs/promises';
import { attackTiming } from '../attack/timing/attack-timing.ts';
import { timingFromJson, timingToJson } from '../attack/timing/result.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { renderTimingText } from '../report/timing/text.ts';
import { type Command, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis attack timing`: what the time of an answer tells. */
export const command: Command = {
  usage: 'attack timing URL [--a QUERIES] [--b QUERIES] [options]',
  about:
    'Measures whether the time, length or status of answers tells two classes of queries apart: members from others, a model that exists from one that may not be used, an input that a guard stops, one that was asked before. Welch tests as dudect makes them, ranks, mutual information against a permutation null, and the AUC of an attacker. One query at a time, in random pairs. QUERIES is zeros, random, data:DATA (samples of a data set) or same:DATA (its first sample, always).',
  options: {
    a: { value: 'QUERIES', help: 'first class (zeros unless given)' },
    b: { value: 'QUERIES', help: 'second class (random unless given)' },
    'url-b': { value: 'URL', help: 'where the second class goes, such as a model that may not be used' },
    token: { value: 'TOKEN', help: 'sent as Bearer token; GLACIS_ENDPOINT_TOKEN unless given' },
    'token-b': { value: 'TOKEN', help: 'the same for the second class' },
    n: {
      value: 'PAIRS',
      help: 'pairs of queries (10000 unless given, the fewest whose silence means something)',
    },
    rate: { value: 'R', help: 'most queries a second (200 unless given)' },
    input: { value: 'NAME', help: "the model's input, where there are several" },
    shape: { value: 'DIMS', help: 'shape of one sample, where the server does not say' },
    'described-by': {
      value: 'URL',
      help: 'model whose inputs are sent, where URL may not be asked what it takes',
    },
    range: { value: 'LOW,HIGH', help: 'range of the input for data (0,1 for images unless given)' },
    timeout: { value: 'MS', help: 'longest wait for an answer (10000 unless given)' },
    seed: { value: 'SEED', help: 'seed of all random draws (0 unless given)' },
    before: { value: 'FILE', help: 'an earlier result, shown beside this one' },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    [
      'glacis attack timing http://127.0.0.1:8080/v2/models/mnist --a data:train.npz --b data:test.npz',
      'does the time tell members of the training data?',
    ],
    [
      'glacis attack timing http://127.0.0.1:8080/v2/models/mnist --a random --b random --url-b http://127.0.0.1:8080/v2/models/none',
      'does it tell whether a model exists?',
    ],
    [
      'glacis attack timing http://127.0.0.1:8080/v2/models/mnist --before off.json --json on.json',
      'the same with serve.timing switched on',
    ],
  ],
  async run({ given, args, terminal, signal }) {
    const [url, ...rest] = given.positionals;
    if (url === undefined || rest.length > 0)
      throw new GlacisError(
        'option/invalid',
        `attack timing: expected one URL, got ${given.positionals.length}`,
      );
    const json = given.text('json');
    if (json !== undefined) await prepareFile(json);
    const earlier = given.text('before');
    const before = earlier === undefined ? undefined : timingFromJson(await read(earlier), earlier);
    const range = given.numbers('range');
    if (range !== undefined && !(range.length === 2 && range[0]! < range[1]!))
      throw new GlacisError('option/invalid', `--range: expected LOW,HIGH, got '${given.text('range')}'`);
    const result = await attackTiming({
      url,
      urlB: given.text('url-b'),
      a: given.text('a') ?? 'zeros',
      b: given.text('b') ?? 'random',
      token: given.text('token'),
      tokenB: given.text('token-b'),
      pairs: given.whole('n', 2) ?? 10_000,
      rate: given.whole('rate', 1) ?? 200,
      seed: given.whole('seed', 0) ?? 0,
      input: given.text('input'),
      shape: given.numbers('shape'),
      describedBy: given.text('described-by'),
      range: range && [range[0]!, range[1]!],
      timeout: given.whole('timeout', 1) ?? 10_000,
      signal,
      progress: terminal.progress,
      say: terminal.say,
      command: commandLine(args),
    });
    terminal.clear();
    if (json !== undefined) await writeText(json, timingToJson(result));
    terminal.print(renderTimingText(result, { before, width: terminal.width }));
    return result.analysis.verdict === 'leak' ? EXIT.negative : EXIT.good;
  },
};

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw asGlacisError(thrown, 'result/invalid', path);
  }
}
