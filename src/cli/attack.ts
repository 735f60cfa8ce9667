import { basename } from 'node:path';
import { attackExamples, type SharedValues } from '../assess/attack-examples.ts';
import { towardsInWords } from '../assess/towards.ts';
import { type PatchOptions, patch } from '../attack/evasion/patch.ts';
import { EVASION_ATTACKS, planAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import { parseSpecs } from '../core/options.ts';
import { writeAtomically } from '../data/index.ts';
import { patchPicture } from '../report/patch-picture.ts';
import { encodePng } from '../report/png.ts';
import { epsFrom, normFrom, radius } from '../threat/norm.ts';
import type { Given } from './args.ts';
import { attackList, attackPage } from './attack-list.ts';
import { type Command, EXIT } from './command.ts';
import {
  ENGINE_OPTIONS,
  EPS_HELP,
  engineOptionsFrom,
  LOAD_OPTIONS,
  loadOptionsFrom,
  SURROGATE_OPTIONS,
  surrogateFrom,
  TOWARDS_OPTION,
  towardsIn,
} from './load-options.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis attack`: one attack, its examples saved. */
export const command: Command = {
  usage: 'attack NAME MODEL --data DATA --out adv.npz [options]',
  about: `Runs one attack and saves its examples, each verified on the model file: x (adversarial), original, y, prediction, success, index. NAME may carry options: 'pgd(steps=100)'. Attacks: ${EVASION_ATTACKS.map((a) => a.id).join(', ')}. --list says what they are.`,
  options: {
    list: { help: 'show all attacks; with NAME, one attack and its options' },
    ...LOAD_OPTIONS,
    ...SURROGATE_OPTIONS,
    out: { value: 'FILE', help: 'the .npz to write' },
    patch: { value: 'FILE', help: 'with the attack patch: the patch as PNG, for printing' },
    norm: { value: 'NORM', help: 'how a change is measured: linf, l2, l1 or l0 (linf unless given)' },
    eps: { value: 'EPS', help: EPS_HELP },
    towards: TOWARDS_OPTION,
    seed: { value: 'SEED', help: 'seed of all random draws (0 unless given)' },
    ...ENGINE_OPTIONS,
    json: { value: 'FILE', help: 'a summary as JSON' },
  },
  examples: [
    [
      "glacis attack 'pgd(steps=40)' model.onnx --data test.npz --eps 8/255 --out adv.npz",
      'examples for training or for another tool',
    ],
    [
      "glacis attack 'patch(size=0.3)' signs.onnx --data signs --out adv.npz --patch patch.png",
      'one sticker that works on all pictures, to print',
    ],
  ],
  async run({ given, terminal, signal }) {
    const [name, ...rest] = given.positionals;
    if (given.flag('list')) {
      terminal.print(name === undefined ? attackList(terminal.width) : attackPage(name, terminal.width));
      return EXIT.good;
    }
    if (name === undefined)
      throw new GlacisError('option/invalid', 'attack: expected NAME and MODEL, got nothing; see --help');
    const specs = parseSpecs(name);
    if (specs.length !== 1)
      throw new GlacisError(
        'option/invalid',
        `attack: expected one attack, got ${specs.length}; assess runs several`,
      );
    const { attack, options: planned } = planAttack(specs[0]!);
    const out = given.text('out');
    if (out === undefined)
      throw new GlacisError('option/invalid', 'attack: expected --out FILE.npz, got nothing');
    const eps = given.text('eps');
    const json = given.text('json');
    const png = given.text('patch');
    if (png !== undefined && attack.id !== patch.id)
      throw new GlacisError('option/invalid', `--patch: expected the attack patch, got ${attack.id}`);
    let made: SharedValues | undefined;
    const options = {
      ...loadOptionsFrom({ ...given, positionals: rest } satisfies Given, 'attack NAME'),
      ...surrogateFrom(given),
      ...engineOptionsFrom(given),
      attack: specs[0]!,
      norm: normFrom(given.text('norm') ?? 'linf'),
      eps: eps === undefined ? undefined : epsFrom(eps),
      towards: towardsIn(given),
      seed: given.whole('seed', 0) ?? 0,
      out,
      shared: (values: SharedValues) => {
        made = values;
      },
      signal,
      progress: terminal.progress,
    };
    await prepareFile(out);
    if (json !== undefined) await prepareFile(json);
    if (png !== undefined) await prepareFile(png);
    const summary = await attackExamples(options);
    terminal.clear();
    if (json !== undefined) await writeText(json, `${JSON.stringify(summary, null, 2)}\n`);
    if (png !== undefined && made) {
      const file = encodePng(patchPicture(made, (planned as PatchOptions).shape));
      await writeAtomically(png, (write) => write(file));
    }
    const { n, towards, cleanAccuracy, robustAccuracy, seconds, queries, gradientQueries, refused } = summary;
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    terminal.print(
      [
        `${summary.attack} on ${basename(options.model)}: ${summary.norm} eps ${radius(summary.eps)}, ${n} samples`,
        ...(towards
          ? [`led to ${towardsInWords(towards.choice)}: ${towards.led} of ${towards.attacked}`]
          : []),
        `right before ${percent(cleanAccuracy)}, after ${percent(robustAccuracy)}; ${queries} answers and ${gradientQueries} gradients in ${seconds.toFixed(1)} s`,
        ...(refused > 0
          ? [`${refused} examples broke the threat model and were replaced by the clean sample`]
          : []),
        `Examples: ${out}`,
        ...(png === undefined ? [] : [`Patch: ${png}`]),
        '',
      ].join('\n'),
    );
    for (const note of summary.data.notes) terminal.say(`note: ${note}`);
    if (summary.status === 'complete') return EXIT.good;
    terminal.say('Stopped early: only the samples that were decided are in the file.');
    return EXIT.unfinished;
  },
};
