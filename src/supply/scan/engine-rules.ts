import type { Rule } from './finding.ts';
import { TAXONOMY } from './taxonomy.ts';

const unseen = {
  verdict: 'unreadable',
  severity: 'medium',
  taxonomy: TAXONOMY.unseen,
} as const;

/** What the engine itself reports, whatever the format. */
export const ENGINE_RULES = {
  unknownFormat: {
    id: 'file/unknown-format',
    title: 'Content of no known format',
    why: 'No scanner knows these bytes, so nothing can be said about what they do to the program that loads them.',
    ...unseen,
  },
  damaged: {
    id: 'file/damaged',
    title: 'Content that contradicts its format',
    why: 'The rest of the content was not looked at. A loader may be more forgiving than the format allows and run what lies there.',
    ...unseen,
  },
  limit: {
    id: 'file/limit',
    title: 'More than a scan takes on',
    why: 'The content costs more than the limits allow (nesting, members, bytes out of compression, steps, time). What lies behind was not looked at.',
    ...unseen,
  },
  failed: {
    id: 'file/scanner-failed',
    title: 'A scanner gave up for an unforeseen reason',
    why: 'The content was not read to its end. Content that breaks a scanner may have been made for that.',
    ...unseen,
  },
  unopened: {
    id: 'file/not-opened',
    title: 'A file that could not be opened or read',
    why: 'Nothing was looked at: permissions, a broken medium, or something that is no regular file.',
    ...unseen,
  },
  changed: {
    id: 'file/changed',
    title: 'A file that changed while it was read',
    why: 'What was scanned is not what lies there now.',
    ...unseen,
  },
} as const satisfies Record<string, Rule>;
