import type { Command } from './command.ts';
import { canary, drain, reload, rollback, status } from './gateway/verbs.ts';
import { listOf, runVerb, type Verbs } from './verbs.ts';

const VERBS: Verbs = {
  status: { takes: '', run: status },
  reload: { takes: '', run: reload },
  canary: { takes: 'MODEL [VERSION]', run: canary },
  rollback: { takes: 'MODEL', run: rollback },
  drain: { takes: '', run: drain },
};

/** `glacis gateway`: what is done to a server while it runs. */
export const command: Command = {
  usage: 'gateway VERB … [options]',
  about: `Looks at a running server and changes what it serves, over its management side, without dropping a request. VERB is ${listOf(VERBS)}. reload puts the changed file, its models and policies into force, or changes nothing; canary gives a version to a share of the callers (without VERSION, it ends that); rollback puts the version before back. Each act is in the log before it is done. docs/serving.md has the routes behind them.`,
  options: {
    url: {
      value: 'URL',
      help: 'the management side: an address, or unix:PATH of its socket (http://127.0.0.1:8082 unless given)',
    },
    'key-file': { value: 'FILE', help: 'the key to ask it with; GLACIS_KEY unless given' },
    share: { value: 'S', help: 'canary: which share of the callers, from 0 to 1; 0.05 unless given' },
    because: { value: 'TEXT', help: 'rollback: why, for the log' },
    wait: { help: 'drain: until the server has ended' },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    ['glacis gateway status --key-file key', 'what is served, and whether all is well'],
    ['glacis gateway reload --key-file key', 'the changed glacis.yaml goes into force'],
    ['glacis gateway canary digits v2 --share 0.1 --key-file key', 'a tenth of the callers has version v2'],
    [
      'glacis gateway rollback digits --because "it errs on sevens" --key-file key',
      'everybody has the version before',
    ],
    ['glacis gateway drain --wait --url unix:manage.sock --key-file key', 'an orderly end, through a socket'],
  ],
  run: (run) => runVerb('gateway', VERBS, run),
};
