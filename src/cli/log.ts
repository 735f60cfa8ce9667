import type { Command } from './command.ts';
import { archive, restore } from './log/archive.ts';
import { erase } from './log/erase.ts';
import { exportLog } from './log/export.ts';
import { prove } from './log/prove.ts';
import { rotate } from './log/rotate.ts';
import { reindex, search } from './log/search.ts';
import { show } from './log/show.ts';
import { verify } from './log/verify.ts';
import { witness } from './log/witness.ts';
import { listOf, runVerb, type Verbs } from './verbs.ts';

const VERBS: Verbs = {
  verify: { takes: 'LOG', run: verify },
  show: { takes: 'LOG [ENTRY]', run: show },
  prove: { takes: '[LOG] [ENTRY]', run: prove },
  search: { takes: 'LOG', run: search },
  export: { takes: 'LOG', run: exportLog },
  reindex: { takes: 'LOG', run: reindex },
  erase: { takes: 'LOG SUBJECT', run: erase },
  rotate: { takes: 'LOG', run: rotate },
  archive: { takes: 'LOG FILE', run: archive },
  restore: { takes: 'LOG FILE', run: restore },
  witness: { takes: 'LOG URL|FOLDER', run: witness },
};

/** `glacis log`: what was decided, and that nobody changed it. */
export const command: Command = {
  usage: 'log VERB LOG … [options]',
  about: `Reads and checks the log in which a server's decisions are. VERB is ${listOf(VERBS)}. LOG is the folder of the log, or an address where it is served; ENTRY an index or a decision's id. docs/log.md walks through them.`,
  options: {
    trust: {
      value: 'FILE',
      help: "the log's keys, as kept elsewhere; the log.trust.json beside it unless given",
    },
    since: {
      value: 'FILE',
      help: 'verify: a checkpoint that was seen before, which the log must go on from',
      many: true,
    },
    threads: { value: 'N', help: 'verify: worker threads; all cores unless given' },
    check: { value: 'FILE', help: 'prove: check this receipt, without a log' },
    entry: { value: 'FILE', help: 'prove --check: the entry that the receipt is to be about' },
    out: {
      value: 'FILE',
      help: 'prove, export: where to write; witness: the checkpoint with cosignatures',
    },
    input: {
      value: 'FILE',
      help: 'show: check that the decision was about these bytes (an input each, in order)',
      many: true,
    },
    output: { value: 'FILE', help: 'show: the same for outputs', many: true },
    reveal: { help: 'show, search, export: open what is sealed, where the key of the subject is there' },
    payload: { value: 'FOLDER', help: 'show --reveal: write the inputs and outputs that were kept there' },
    format: { value: 'NAME', help: 'export: jsonl or csv; jsonl unless given' },
    principal: { value: 'ID', help: 'search, export: only of this principal' },
    tenant: { value: 'ID', help: 'search, export: only of this tenant' },
    model: { value: 'NAME', help: 'search, export: only of this model' },
    digest: { value: 'DIGEST', help: 'search, export: only of this version of a model' },
    outcome: {
      value: 'NAME',
      help: 'search, export: answered, or why not: throttled, exhausted, unacceptable, …',
    },
    event: { value: 'NAME', help: 'search, export: only events of this name' },
    after: { value: 'TIME', help: 'search, export: not before, such as 2026-11-21T08:00:00Z' },
    before: { value: 'TIME', help: 'search, export: not after' },
    limit: { value: 'N', help: 'search: at most so many, the newest first; 100 unless given' },
    by: { value: 'NAME', help: 'erase, rotate, archive: who says so, for the log' },
    until: { value: 'ENTRY', help: 'archive: entries below this one' },
    key: {
      value: 'FILE',
      help: "erase, rotate, archive: the log's private keys if they are not beside it; witness FOLDER: the witness's own",
    },
    'new-key': { value: 'FILE', help: 'rotate: the next private keys; made unless given' },
    'wrapping-key': {
      value: 'KEY',
      help: 'erase, --reveal: what keys of subjects are wrapped with, if not the file beside the log; archive, restore: encrypt with it',
    },
    'witness-key': {
      value: 'KEY',
      help: "witness URL: the witness's verifier keys, NAME+ID+KEY",
      many: true,
    },
    name: { value: 'NAME', help: "witness FOLDER: the witness's name, such as witness.example.com" },
    port: { value: 'N', help: 'witness FOLDER: serve on this port; 8473 unless given' },
    host: { value: 'ADDRESS', help: 'witness FOLDER: serve on this address; 127.0.0.1 unless given' },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    ['glacis log verify ./data/record', 'check every entry, every tile and the signatures'],
    ['glacis log search ./data/record --principal acme --outcome throttled', 'who was refused, and when'],
    ['glacis log prove ./data/record 1234 --out 1234.tlog-proof', 'a receipt of an entry'],
    ['glacis log prove --check 1234.tlog-proof --trust log.trust.json', 'check it anywhere, without the log'],
    ['glacis log export ./data/record --format csv --out decisions.csv', 'for a spreadsheet'],
    [
      'glacis log witness ./data/record https://witness.example/ --witness-key KEY',
      'have somebody else sign the log',
    ],
    ['glacis log erase ./data/record patient-7 --by dpo', 'forget a person; the log stays whole'],
  ],
  run: (run) => runVerb('log', VERBS, run),
};
