import type { Rule } from '../finding.ts';
import { TAXONOMY } from '../taxonomy.ts';

/** What may be wrong with a configuration file beside a model. */
export const CONFIG_RULES = {
  target: {
    id: 'config/dangerous-target',
    title: 'A _target_ that runs code',
    verdict: 'malicious',
    severity: 'critical',
    why: 'Hydra and those who follow it import the name and call it with the arguments beside it (CVE-2025-23304).',
    taxonomy: [...TAXONOMY.codeOnLoad, 'CVE-2025-23304'],
  },
  unknownTarget: {
    id: 'config/unknown-target',
    title: 'A _target_ that is no class of a known framework',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'Whoever instantiates the configuration imports and calls this name; what it does is not known here.',
    taxonomy: [...TAXONOMY.remoteCode, 'CVE-2025-23304'],
  },
  autoMap: {
    id: 'config/auto-map',
    title: 'A model that brings its own Python code',
    verdict: 'suspicious',
    severity: 'high',
    why: 'auto_map names Python files, of this or another repository, that run when the model is loaded with trust_remote_code.',
    taxonomy: TAXONOMY.remoteCode,
  },
  trustRemote: {
    id: 'config/trust-remote-code',
    title: 'A configuration that switches trust on',
    verdict: 'suspicious',
    severity: 'high',
    why: 'trust_remote_code belongs to the one who loads a model, not to the model: set in a file, it runs code that nobody decided to trust.',
    taxonomy: TAXONOMY.remoteCode,
  },
  customPipeline: {
    id: 'config/custom-pipeline',
    title: 'A pipeline that is loaded from Python code',
    verdict: 'suspicious',
    severity: 'high',
    why: 'custom_pipelines and classes from modules outside of the framework are imported from the repository when the model is loaded.',
    taxonomy: TAXONOMY.remoteCode,
  },
  yamlTag: {
    id: 'config/python-tag',
    title: 'A YAML tag that builds Python objects',
    verdict: 'malicious',
    severity: 'critical',
    why: 'A YAML loader that is not the safe one calls what the tag names.',
    taxonomy: TAXONOMY.codeOnLoad,
  },
  tooLarge: {
    id: 'config/too-large',
    title: 'A configuration that is too large to be read',
    verdict: 'unreadable',
    severity: 'medium',
    why: 'It holds keys that may load code, and is larger than what a scan takes into memory.',
    taxonomy: TAXONOMY.unseen,
  },
} as const satisfies Record<string, Rule>;
