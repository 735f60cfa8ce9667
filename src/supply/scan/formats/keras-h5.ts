import type { Rule } from '../finding.ts';
import type { Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { superblockAt } from './hdf5/reader.ts';
import { hdf5Parts } from './hdf5/walk.ts';
import { parseJson } from './json-nodes.ts';
import { judgeKerasConfig, KERAS_RULES } from './keras-config.ts';

const HDF5_RULES = {
  external: {
    id: 'hdf5/external-file',
    title: 'Data that lies in another file',
    verdict: 'malicious',
    severity: 'high',
    why: 'An external link, external storage or a virtual dataset makes the loader read any file that it names, and takes its bytes for weights.',
    taxonomy: TAXONOMY.pathEscape,
  },
  unread: {
    id: 'hdf5/not-read',
    title: 'A part that is stored in a rare way',
    verdict: 'unreadable',
    severity: 'medium',
    why: 'Links and attributes in a fractal heap are not read here; a configuration or a link out of the file may be among them.',
    taxonomy: TAXONOMY.unseen,
  },
} as const satisfies Record<string, Rule>;

/**
 * HDF5, as Keras keeps models (`.h5`) and weights in it. The configuration is the attribute `model_config` of the root group;
 * every attribute that holds JSON is looked at, wherever it is. CVE-2025-9905: `safe_mode` means nothing to this format.
 */
export const hdf5Scanner: Scanner = {
  id: 'hdf5',
  title: 'HDF5 (Keras .h5 and weights)',
  rules: [...Object.values(HDF5_RULES), ...Object.values(KERAS_RULES)],
  recognises: async ({ source }) => (await superblockAt(source)) !== undefined,
  async scan(source, context) {
    for await (const part of hdf5Parts(source, context.where, context.budget)) {
      if (part.kind === 'unread') context.report(HDF5_RULES.unread, part.what);
      else if (part.kind !== 'attribute') context.report(HDF5_RULES.external, part.target);
      else {
        const { name, texts } = part.attribute;
        for (const text of texts)
          if (/^\s{0,100}[[{]/.test(text))
            await judgeKerasConfig(parseJson(Buffer.from(text), context.where), name, context);
      }
    }
  },
};
