import type { Rule } from '../finding.ts';
import { TAXONOMY } from '../taxonomy.ts';

/** What may be wrong with an ONNX model. */
export const ONNX_RULES = {
  escape: {
    id: 'onnx/external-escape',
    title: 'External data outside of the model’s folder',
    verdict: 'malicious',
    severity: 'critical',
    why: 'A loader that follows the path reads any file into the model; one that saves writes to it (CVE-2022-25882, CVE-2024-27318, CVE-2025-51480).',
    taxonomy: [...TAXONOMY.pathEscape, 'CVE-2022-25882', 'CVE-2024-27318', 'CVE-2025-51480'],
  },
  link: {
    id: 'onnx/external-link',
    title: 'External data that is a link, or lies behind one',
    verdict: 'malicious',
    severity: 'critical',
    why: 'A symbolic or hard link, as the file or as a folder on the way, makes a harmless name read another file (CVE-2026-27489, CVE-2026-34446, CVE-2026-34447).',
    taxonomy: [...TAXONOMY.pathEscape, 'CWE-59', 'CVE-2026-27489', 'CVE-2026-34446', 'CVE-2026-34447'],
  },
  missing: {
    id: 'onnx/external-missing',
    title: 'External data that is not there',
    verdict: 'unreadable',
    severity: 'medium',
    why: 'Weights that a loader will read were not there to be looked at.',
    taxonomy: TAXONOMY.unseen,
  },
  range: {
    id: 'onnx/external-range',
    title: 'External data past the end of its file',
    verdict: 'suspicious',
    severity: 'high',
    why: 'Offset and length do not fit the file, or are no numbers: a native reader that trusts them reads memory that is not its own.',
    taxonomy: TAXONOMY.memory,
  },
  size: {
    id: 'onnx/tensor-size',
    title: 'A tensor whose bytes do not fit its shape',
    verdict: 'suspicious',
    severity: 'high',
    why: 'A shape that promises more than the file holds makes a reader allocate or read past the end.',
    taxonomy: TAXONOMY.memory,
  },
  domain: {
    id: 'onnx/custom-operator',
    title: 'Operators of an unknown domain',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'They come out of a native library that the program must load to run the model; what they do is not in this file.',
    taxonomy: TAXONOMY.remoteCode,
  },
  python: {
    id: 'onnx/python-operator',
    title: 'An operator that calls Python, or loads a compiled graph',
    verdict: 'suspicious',
    severity: 'high',
    why: 'PyOp calls Python functions, and EPContext hands a blob, or the path of one, to a driver: neither is arithmetic.',
    taxonomy: TAXONOMY.graphAccess,
  },
} as const satisfies Record<string, Rule>;
