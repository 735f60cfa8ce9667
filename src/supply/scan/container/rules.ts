import type { Rule } from '../finding.ts';
import { TAXONOMY } from '../taxonomy.ts';

const evasion = { verdict: 'suspicious', severity: 'high', taxonomy: TAXONOMY.evasion } as const;

/** What containers are reported for. */
export const CONTAINER_RULES = {
  pathEscape: {
    id: 'archive/path-escape',
    title: 'A member whose name leads out of the archive',
    verdict: 'malicious',
    severity: 'critical',
    why: "Unpacking writes the member to a place of the attacker's choice.",
    taxonomy: TAXONOMY.pathEscape,
  },
  linkEscape: {
    id: 'archive/link-escape',
    title: 'A link that leads out of the archive',
    verdict: 'malicious',
    severity: 'critical',
    why: 'After unpacking, the link reads or writes files outside.',
    taxonomy: [...TAXONOMY.pathEscape, 'CWE-59'],
  },
  link: {
    id: 'archive/link',
    title: 'A link or a device in the archive',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'Model files need neither. A link can be written through by members that come after it.',
    taxonomy: [...TAXONOMY.pathEscape, 'CWE-59'],
  },
  duplicate: {
    id: 'archive/duplicate-name',
    title: 'Two members of the same name',
    ...evasion,
    why: 'One loader takes the first, another the last: a scanner sees the harmless one.',
  },
  outside: {
    id: 'archive/bytes-outside',
    title: 'Bytes that belong to no member',
    ...evasion,
    why: 'They are read by loaders that look for a format at another place: a file in front of the archive, or members that its directory does not list.',
  },
  encrypted: {
    id: 'archive/encrypted',
    title: 'A member that is marked as encrypted',
    verdict: 'unreadable',
    severity: 'high',
    taxonomy: TAXONOMY.unseen,
    why: 'Without the password nothing can be said. Some loaders ignore the mark (CVE-2025-1945), so the content was looked at as it lies there as well.',
  },
  unsupported: {
    id: 'archive/unsupported',
    title: 'A container or compression that is not read',
    verdict: 'unreadable',
    severity: 'medium',
    taxonomy: TAXONOMY.unseen,
    why: 'The content was not looked at. Models that carry payloads were packed this way to pass scanners.',
  },
  bomb: {
    id: 'archive/bomb',
    title: 'Unpacks to far more than it holds',
    verdict: 'suspicious',
    severity: 'medium',
    taxonomy: TAXONOMY.exhaustion,
    why: 'Unpacking exhausts memory or disk.',
  },
  overlap: {
    id: 'zip/overlap',
    title: 'Members that share bytes',
    verdict: 'malicious',
    severity: 'high',
    taxonomy: TAXONOMY.exhaustion,
    why: 'Overlapping members make a small file unpack to petabytes, or to different contents for different readers.',
  },
  nameMismatch: {
    id: 'zip/name-mismatch',
    title: 'A member with two names',
    verdict: 'malicious',
    severity: 'high',
    taxonomy: [...TAXONOMY.evasion, 'CVE-2025-1944'],
    why: 'Directory and member disagree on the name, so readers disagree on what the member is.',
  },
  headerMismatch: {
    id: 'zip/header-mismatch',
    title: 'Directory and member disagree',
    ...evasion,
    taxonomy: [...TAXONOMY.evasion, 'CVE-2025-1945'],
    why: 'Flags, method, sizes or checksum differ between the two headers of a member: one reader fails where another loads.',
  },
  flags: {
    id: 'zip/odd-flags',
    title: 'Flags that no writer of models sets',
    ...evasion,
    taxonomy: [...TAXONOMY.evasion, 'CVE-2025-1945'],
    why: 'Strict readers refuse the member and scan nothing; lenient ones, such as PyTorch, load it.',
  },
  checksum: {
    id: 'zip/bad-checksum',
    title: 'A member that does not match its checksum or size',
    ...evasion,
    taxonomy: [...TAXONOMY.evasion, 'CVE-2025-10156'],
    why: 'Strict readers give up on the member and scan nothing; lenient ones load it.',
  },
  twoDirectories: {
    id: 'zip/two-directories',
    title: 'More than one directory',
    ...evasion,
    why: 'Readers that search from different ends see different members.',
  },
  legacyTar: {
    id: 'torch/legacy-tar',
    title: 'A checkpoint in the tar format of PyTorch before 0.2',
    ...evasion,
    taxonomy: [...TAXONOMY.codeOnLoad, 'CVE-2025-32434'],
    why: 'Loading this format ran code even with weights_only=True (PyTorch up to 2.5.1). Nobody has written it for years.',
  },
} as const satisfies Record<string, Rule>;
