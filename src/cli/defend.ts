import { buildDefended } from '../assess/defence/build.ts';
import { DEFENCE_ATTACK, DEFENCE_SAMPLES, evaluateDefence } from '../assess/defence/evaluate.ts';
import { defenceToJson } from '../assess/defence/result-json.ts';
import { GlacisError } from '../core/error.ts';
import { parseSpecs } from '../core/options.ts';
import { renderDefenceHtml } from '../report/defence/html.ts';
import { renderDefenceText } from '../report/defence/text.ts';
import { epsFrom, normFrom } from '../threat/norm.ts';
import { DEFENCES, planDefences } from '../transform/defence/registry.ts';
import { type Command, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import {
  ENGINE_OPTIONS,
  EPS_HELP,
  engineOptionsFrom,
  LOAD_OPTIONS,
  modelOptionsFrom,
} from './load-options.ts';
import { prepareFile, writeText } from './output.ts';

/** The joint squeezers of Xu et al. 2018 that need no tuning. */
const SQUEEZERS = 'bit-depth(bits=4), median(window=2)';

/** Share of clean samples that the detector may reject, where only its squeezers are given. */
const FALSE_POSITIVES = 0.05;

/** `glacis defend`: defences at the input, a detector, a temperature; and what they are worth. */
export const command: Command = {
  usage: 'defend MODEL --with DEFENCES --out FILE.onnx [--data DATA] [options]',
  about:
    'Writes the model with defences at its input as part of the file. With data, attacks it before and after as attackers who know more and more of the defence would, and says how much of the gain is real: most such defences gain nothing against an attacker who knows of them.',
  options: {
    with: {
      value: 'DEFENCES',
      help: `what pictures go through first, with options in parentheses: ${DEFENCES.map(({ id }) => id).join(', ')}; may be repeated`,
      many: true,
    },
    out: { value: 'FILE', help: 'where the defended model goes' },
    'detector-fpr': {
      value: 'SHARE',
      help: `adds a feature-squeezing detector that may reject this share of clean samples (${FALSE_POSITIVES} with --squeezers); needs --data`,
    },
    squeezers: {
      value: 'DEFENCES',
      help: `what the detector squeezes pictures with (${SQUEEZERS} unless given)`,
    },
    'fit-temperature': {
      help: 'divides the logits so that the model is as sure as it is right; needs --data',
    },
    attack: {
      value: 'ATTACK',
      help: `makes the examples; one that takes gradients and looks within eps (${DEFENCE_ATTACK} unless given)`,
    },
    norm: { value: 'NORM', help: 'how a change is measured: linf, l2 or l1 (linf unless given)' },
    eps: { value: 'EPS', help: EPS_HELP },
    seed: { value: 'SEED', help: 'seed of all random draws (0 unless given)' },
    ...LOAD_OPTIONS,
    n: {
      value: 'N',
      help: `take the first N samples (${DEFENCE_SAMPLES} unless given, twice as many where something is fitted, which takes the first half)`,
    },
    ...ENGINE_OPTIONS,
    report: {
      value: 'FILE',
      help: 'where the HTML report goes (beside the model, with the ending .defence.html, unless given)',
    },
    json: {
      value: 'FILE',
      help: 'where the JSON result goes (beside the model, with the ending .defence.json, unless given)',
    },
  },
  examples: [
    [
      "glacis defend model.onnx --with 'jpeg(quality=75)' --out defended.onnx --data test.npz",
      'what would JPEG compression in front of the model be worth?',
    ],
    [
      "glacis defend model.onnx --with 'resize-pad, bit-depth(bits=4)' --out defended.onnx",
      'two defences, the first one first; nothing is run',
    ],
    [
      'glacis defend model.onnx --detector-fpr 0.05 --fit-temperature --out watched.onnx --data test.npz',
      'an output that tells attacked pictures, and a model as sure as it is right',
    ],
  ],
  async run({ given, args, terminal, signal }) {
    const options = {
      ...modelOptionsFrom(given, 'defend'),
      ...engineOptionsFrom(given),
      signal,
      say: terminal.say,
    };
    const data = given.text('data');
    const out = given.text('out');
    if (out === undefined)
      throw new GlacisError('option/invalid', 'defend: expected --out FILE.onnx, got nothing; see --help');
    const beside = `${out.replace(/\.onnx$/i, '')}.defence`;
    const json = given.text('json') ?? `${beside}.json`;
    const report = given.text('report') ?? `${beside}.html`;
    const defences = given.texts('with').flatMap((text) => [...planDefences(text)]);
    const isDetecting = given.text('detector-fpr') !== undefined || given.text('squeezers') !== undefined;
    const attacks = parseSpecs(given.text('attack') ?? DEFENCE_ATTACK);
    if (attacks.length !== 1)
      throw new GlacisError('option/invalid', `--attack: expected one attack, got ${attacks.length}`);
    const norm = normFrom(given.text('norm') ?? 'linf');
    const eps = given.text('eps');
    const seed = given.whole('seed', 0) ?? 0;
    await prepareFile(out);
    if (data !== undefined) {
      await prepareFile(json);
      await prepareFile(report);
    }
    const built = await buildDefended({
      ...options,
      data,
      defences,
      squeezers: isDetecting ? planDefences(given.text('squeezers') ?? SQUEEZERS) : undefined,
      falsePositiveRate: shareFrom(given.text('detector-fpr')),
      temperature: given.flag('fit-temperature'),
      out,
    });
    terminal.say(`Defended model: ${out}`);
    if (data === undefined) return EXIT.good;
    const evaluation = await evaluateDefence({
      ...options,
      data,
      defended: out,
      skip: built.fitted,
      n: options.n === undefined ? undefined : options.n - built.fitted,
      attack: attacks[0]!,
      norm,
      eps: eps === undefined ? undefined : epsFrom(eps),
      seed,
      progress: terminal.progress,
      command: commandLine(args),
    });
    const result = { ...evaluation, ...(built.temperature && { temperature: built.temperature }) };
    terminal.clear();
    await writeText(json, defenceToJson(result));
    await writeText(report, renderDefenceHtml(result));
    terminal.print(renderDefenceText(result, { width: terminal.width }));
    terminal.say(`Report: ${report}\nResult: ${json}`);
    return EXIT.good;
  },
};

function shareFrom(text: string | undefined): number {
  const share = text === undefined ? FALSE_POSITIVES : Number(text);
  if (!(share > 0 && share < 1))
    throw new GlacisError(
      'option/invalid',
      `--detector-fpr: expected a share above 0 and below 1, got '${text}'`,
    );
  return share;
}
