import { join } from 'node:path';
import { SEVERITIES } from '../assess/result.ts';
import { transferToJson } from '../assess/transfer/result-json.ts';
import { TRANSFER_ATTACK, type TransferOptions, transfer } from '../assess/transfer/transfer.ts';
import { GlacisError } from '../core/error.ts';
import { parseSpecs } from '../core/options.ts';
import { renderTransferHtml } from '../report/transfer/html.ts';
import { renderTransferText } from '../report/transfer/text.ts';
import { epsFrom, normFrom } from '../threat/norm.ts';
import { type Command, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { FAIL_ON, isGrave } from './fail-on.ts';
import {
  ENGINE_OPTIONS,
  EPS_HELP,
  engineOptionsFrom,
  LOAD_OPTIONS,
  loadOptionsFrom,
} from './load-options.ts';
import { folderPrefix, prepareFile, prepareFolder, writeText } from './output.ts';

/** `glacis transfer`: whose examples fool whom. */
export const command: Command = {
  usage: 'transfer A.onnx B.onnx [C.onnx …] --data DATA [options]',
  about:
    'Makes adversarial examples on each model file and puts them through every other model: how often do examples made on A fool B? Counted over the samples that both get right. Endpoints and adapters may be among the models; examples are tried on them, none are made there. The options apply to all models.',
  options: {
    ...LOAD_OPTIONS,
    attack: {
      value: 'ATTACK',
      help: `makes the examples; one that looks within eps, with its options (${TRANSFER_ATTACK} unless given)`,
    },
    norm: { value: 'NORM', help: 'how a change is measured: linf, l2, l1 or l0 (linf unless given)' },
    eps: { value: 'EPS', help: EPS_HELP },
    seed: { value: 'SEED', help: 'seed of all random draws (0 unless given)' },
    ...ENGINE_OPTIONS,
    out: { value: 'DIR', help: 'folder for the results (glacis-transfer unless given)' },
    json: { value: 'FILE', help: 'where the JSON result goes (DIR/transfer.json unless given)' },
    report: { value: 'FILE', help: 'where the HTML report goes (DIR/transfer.html unless given)' },
    resume: { help: 'go on from the checkpoint that an interrupted run left in DIR' },
    'fail-on': FAIL_ON,
  },
  examples: [
    [
      'glacis transfer public.onnx ours.onnx --data test.npz --n 500',
      'does it help an attacker to have a public model?',
    ],
    [
      "glacis transfer a.onnx b.onnx https://host/v2/models/c --data test.npz --attack 'pgd(steps=40)' --eps 8/255",
      'a model behind an endpoint, fooled from two files',
    ],
  ],
  async run({ given, args, terminal, signal }) {
    const [first, ...others] = given.positionals;
    const failOn = given.choice('fail-on', SEVERITIES);
    const { model, ...common } = loadOptionsFrom(
      { ...given, positionals: first === undefined ? [] : [first] },
      'transfer',
    );
    const out = given.text('out') ?? 'glacis-transfer';
    const json = given.text('json') ?? join(out, 'transfer.json');
    const report = given.text('report') ?? join(out, 'transfer.html');
    const attacks = parseSpecs(given.text('attack') ?? TRANSFER_ATTACK);
    if (attacks.length !== 1)
      throw new GlacisError('option/invalid', `--attack: expected one attack, got ${attacks.length}`);
    const eps = given.text('eps');
    const options: TransferOptions = {
      ...common,
      ...engineOptionsFrom(given),
      models: [model, ...others],
      attack: attacks[0]!,
      norm: normFrom(given.text('norm') ?? 'linf'),
      eps: eps === undefined ? undefined : epsFrom(eps),
      seed: given.whole('seed', 0) ?? 0,
      out,
      perSamplePrefix: folderPrefix(json, out),
      resume: given.flag('resume'),
      signal,
      progress: terminal.progress,
      say: terminal.say,
      command: commandLine(args),
    };
    await prepareFolder(out);
    await prepareFile(json);
    await prepareFile(report);
    const result = await transfer(options);
    terminal.clear();
    await writeText(json, transferToJson(result));
    await writeText(report, renderTransferHtml(result));
    terminal.print(renderTransferText(result, { width: terminal.width }));
    terminal.say(`Report: ${report}\nResult: ${json}`);
    if (result.status === 'partial') {
      terminal.say('Stopped early; the same command with --resume goes on.');
      return EXIT.unfinished;
    }
    return isGrave(result.findings, failOn) ? EXIT.negative : EXIT.good;
  },
};
