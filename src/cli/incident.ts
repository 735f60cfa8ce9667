import type { Command } from './command.ts';
import { drill } from './incident/drill.ts';
import { replay } from './incident/replay.ts';
import {
  act,
  approve,
  bundle,
  close,
  comment,
  decline,
  impact,
  lift,
  list,
  show,
  whatIf,
} from './incident/verbs.ts';
import { verify } from './incident/verify.ts';
import { listOf, runVerb, type Verbs } from './verbs.ts';

const VERBS: Verbs = {
  list: { takes: '', run: list },
  show: { takes: 'CASE', run: show },
  act: { takes: 'CASE MEASURE', run: act },
  lift: { takes: 'CASE ORDER', run: lift },
  approve: { takes: 'CASE ACT', run: approve },
  decline: { takes: 'CASE ACT', run: decline },
  comment: { takes: 'CASE TEXT', run: comment },
  close: { takes: 'CASE', run: close },
  impact: { takes: 'CASE', run: impact },
  replay: { takes: 'LOG', run: replay },
  bundle: { takes: 'CASE', run: bundle },
  verify: { takes: 'BUNDLE', run: verify },
  'what-if': { takes: 'CHANGE', run: whatIf },
  drill: { takes: '', run: drill },
};

/** `glacis incident`: what went wrong, what was affected, what is done about it, and the proof. */
export const command: Command = {
  usage: 'incident VERB … [options]',
  about: `Cases that form from alarms: looks at them, acts, finds which decisions were affected, packs the evidence, rehearses. VERB is ${listOf(VERBS)}. MEASURE is throttle, degrade, quarantine, guard, verify, pause, rollback or freeze; CHANGE is guard, budget or rate. With --url a running server is asked; without, the data folder is read, which shows and searches everything and cannot take measures. docs/incidents.md walks through them.`,
  options: {
    url: { value: 'URL', help: "a running server's management side" },
    'key-file': { value: 'FILE', help: 'the key to ask it with; GLACIS_KEY unless given' },
    'data-dir': { value: 'DIR', help: 'the data folder of a server (glacis-data unless given)' },
    config: { value: 'FILE', help: 'its configuration (glacis.yaml unless given, where there is one)' },
    by: { value: 'NAME', help: 'in a data folder: who says so, for the log' },
    state: { value: 'STATE', help: 'list: open, working, contained or closed' },
    kind: { value: 'KIND', help: 'list: attack, drift or fault' },
    find: { value: 'TEXT', help: 'list: part of an id, a title, a model or a principal' },
    before: { value: 'PLACE', help: 'list: what the page before ended with' },
    limit: {
      value: 'N',
      help: 'list: at most so many, 100 unless given; replay: rows kept, 10,000 unless given',
    },
    principal: { value: 'ID', help: 'act, impact: this principal' },
    tenant: { value: 'ID', help: 'act, impact: this tenant' },
    credential: { value: 'ID', help: 'act: this key' },
    address: { value: 'ADDRESS', help: 'act: this address' },
    model: { value: 'NAME', help: 'act, impact, what-if: this model' },
    'per-minute': { value: 'N', help: 'act throttle: requests a minute' },
    detail: { value: 'NAME', help: 'act degrade: label or scores; label unless given' },
    guard: { value: 'NAME', help: 'act guard, what-if guard: which' },
    strictness: { value: 'X', help: 'act guard: the factor on its threshold; 0.5 unless given' },
    hours: { value: 'N', help: 'act: ends by itself after so long' },
    because: { value: 'TEXT', help: 'act: why, for the log' },
    verdict: { value: 'NAME', help: 'close: attack, drift, fault or false-alarm' },
    version: { value: 'NAME', help: 'impact, replay: this version' },
    digest: { value: 'DIGEST', help: 'impact: the version with this digest' },
    feed: { value: 'NAME', help: 'impact: decisions that rested on this feed' },
    data: { value: 'DIGEST', help: 'impact: versions whose provenance names this data' },
    against: { value: 'VERSION', help: 'impact: a good version that is loaded, to replay kept inputs on' },
    on: {
      value: 'FILE',
      help: 'impact (in a data folder), replay: an ONNX file to replay kept inputs on, without a server',
    },
    tolerance: {
      value: 'X',
      help: 'replay: how far the score of the same class may lie off; 1 unless given: only the class counts',
    },
    'wrapping-key': {
      value: 'KEY',
      help: 'replay, impact --on: what opens the keys of subjects; the one in the folder unless given',
    },
    after: { value: 'TIME', help: 'impact, replay, what-if: not before, such as 2026-11-21T08:00:00Z' },
    until: { value: 'TIME', help: 'impact, replay, what-if: not after' },
    threshold: {
      value: 'X',
      help: 'what-if guard: the threshold; what it has or is calibrated to unless given',
    },
    action: { value: 'NAME', help: 'what-if guard: flag, degrade or refuse; refuse unless given' },
    per: {
      value: 'NAME',
      help: 'what-if budget, rate: principal, tenant, model, address or all; principal unless given',
    },
    queries: { value: 'N', help: 'what-if budget: queries' },
    days: { value: 'N', help: 'what-if budget: of a window of so many days' },
    requests: { value: 'N', help: 'what-if rate: requests' },
    samples: { value: 'N', help: 'what-if rate: samples, in place of requests' },
    seconds: { value: 'N', help: 'what-if rate: in so many seconds' },
    out: { value: 'PATH', help: 'bundle: the file; drill: a folder to keep what it made' },
    trust: {
      value: 'FILE',
      help: "verify, replay: the log's keys (log.trust.json) as you keep them; and public keys (PEM) whose signature is wanted",
      many: true,
    },
    seed: { value: 'SEED', help: 'drill: other pictures and another attack; 1 unless given' },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    ['glacis incident list --url http://127.0.0.1:8082 --key-file key', 'what is going on'],
    [
      'glacis incident act C-2026-0007 quarantine --principal mallory --hours 1 --because "copies the model" --url http://127.0.0.1:8082 --key-file key',
      'stop somebody for an hour',
    ],
    [
      'glacis incident impact C-2026-0007 --model signs --version 2 --against 1 --url http://127.0.0.1:8082 --key-file key',
      'which decisions of version 2 would have been others',
    ],
    [
      'glacis incident replay glacis-data/record --on signs-good.onnx --model signs --version 2 --json replay.json',
      'the same without a server, from the log and what it kept',
    ],
    ['glacis incident bundle C-2026-0007 --url http://127.0.0.1:8082 --key-file key', 'pack the evidence'],
    ['glacis incident verify C-2026-0007.zip --trust log.trust.json', 'check it anywhere'],
    ['glacis incident what-if budget --queries 5000 --days 28', 'whom a smaller budget would have met'],
    ['glacis incident drill', 'rehearse all of it on the bundled example'],
  ],
  run: (run) => runVerb('incident', VERBS, run),
};
