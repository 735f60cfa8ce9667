import type { Command } from './command.ts';
import { freezeAll, promote, revokeModel, roles, rollback, thaw } from './registry/change.ts';
import { refresh, rewrap, verify } from './registry/check.ts';
import { init } from './registry/init.ts';
import { list, show } from './registry/show.ts';
import { pullModel, pushModel } from './registry/transfer.ts';
import { listOf, runVerb, type Verbs } from './verbs.ts';

const VERBS: Verbs = {
  init: { takes: 'LOCATION', run: init },
  push: { takes: 'MODEL NAME@VERSION', run: pushModel },
  pull: { takes: 'NAME:ALIAS|NAME@VERSION', run: pullModel },
  list: { takes: '[NAME]', run: list },
  show: { takes: 'NAME:ALIAS|NAME@VERSION', run: show },
  promote: { takes: 'NAME@VERSION ALIAS', run: promote },
  rollback: { takes: 'NAME@VERSION ALIAS', run: rollback },
  revoke: { takes: 'NAME@VERSION', run: revokeModel },
  freeze: { takes: '', run: freezeAll },
  thaw: { takes: '', run: thaw },
  roles: { takes: '', run: roles },
  verify: { takes: '', run: verify },
  refresh: { takes: '', run: refresh },
  rewrap: { takes: '', run: rewrap },
};

/** `glacis registry`: models, which of them is in use, and who said so. */
export const command: Command = {
  usage: 'registry VERB … [options]',
  about: `Keeps models in a registry whose every change is a signed event in a verifiable log. VERB is ${listOf(VERBS)}. docs/registry.md walks through them.`,
  options: {
    registry: { value: 'LOCATION', help: 'where the registry is; GLACIS_REGISTRY unless given' },
    trust: { value: 'FILE', help: 'whom to trust, at the first use on a machine; init writes it there' },
    key: { value: 'FILE', help: 'your private key in PEM (EC, Ed25519, ML-DSA-65)', many: true },
    'log-key': { value: 'FILE', help: "the log's private keys; this machine's own unless given" },
    evidence: { value: 'FILE', help: 'a signature or statement to keep and sign with it', many: true },
    policy: {
      value: 'FILE',
      help: 'promote: ask the gate first, with the alias as the stage; policy and decision are kept as evidence',
    },
    'evidence-trust': {
      value: 'FILE',
      help: 'promote --policy: public keys, certificates or a trusted root to check evidence with',
      many: true,
    },
    reason: { value: 'TEXT', help: 'why, for rollback, revoke, freeze, thaw and roles' },
    out: { value: 'FOLDER', help: 'where pull writes the model; must not exist' },
    'wrapping-key': {
      value: 'KEY',
      help: 'encrypts or decrypts blobs: file:PATH, env:NAME, pkcs11:… or plugin:PATH',
    },
    'new-wrapping-key': { value: 'KEY', help: 'what rewrap puts in its place' },
    'ignore-paths': { value: 'PATH', help: 'leave this out of what is pushed', many: true },
    proof: {
      value: 'FILE',
      help: 'show: write a tlog-proof of the event, which checks without the registry',
    },
    quick: { help: 'verify: do not read stored files, only look whether they are there' },
    origin: { value: 'NAME', help: "init: the registry's name, such as example.com/models" },
    approver: {
      value: 'NAME=FILE',
      help: 'init, roles: who may promote, with public keys (commas between)',
      many: true,
    },
    publisher: { value: 'NAME=FILE', help: 'init, roles: who may only push', many: true },
    threshold: { value: 'K', help: 'init, roles: approvers that a promotion needs; 1 unless given' },
    'revocation-threshold': {
      value: 'K',
      help: 'init, roles: approvers that a revocation or a freeze needs; 1 unless given',
    },
    'max-age': {
      value: 'TIME',
      help: 'init: how old a signed state may be, such as 12h or 30d; 30d unless given, 0 for ever',
    },
    blobs: { value: 'LOCATION', help: 'init: where files are stored, if not beside the log' },
    encrypted: { help: 'init: take encrypted models only' },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    ['glacis registry init ./models --key alice.pem --trust models.trust.json', 'start one in a folder'],
    ['glacis registry push model.onnx net@1 --registry ./models --key alice.pem', 'add a version'],
    [
      'glacis registry promote net@1 production --registry ./models --key alice.pem --evidence assessment.json',
      'say which version is in use, on this evidence',
    ],
    ['glacis registry pull net:production --registry ./models --out ./net', 'get it, verified'],
    ['glacis registry verify --registry ./models', 'check everything again from the log'],
  ],
  run: (run) => runVerb('registry', VERBS, run),
};
