import type { SecretRule } from '../rule.ts';
import { ASSIGN, sticky } from './patterns.ts';

/** Names that end in these mean something else: `token_id`, `tokenizer`, `max_tokens`, `secret_name`, `password_file`. */
const NOT_A_VALUE =
  '(?!iz|s\\b|s?[_-]?(?:ids?|types?|counts?|len(?:gth)?|class|names?|ur[il]s?|paths?|files?|sizes?|limits?|hash|digest|fields?|columns?|index|map|vault|version|usage|endpoint|expir\\w{0,8}|ttl)\\b)';

/** Values whose name says that they are secret, whatever service they belong to. */
export const GENERIC_RULES: readonly SecretRule[] = [
  {
    id: 'named-secret',
    title: 'A value of high entropy with a name that says secret',
    severity: 'medium',
    why: 'It looks like a key; what it opens cannot be told from here.',
    anchors: [
      'secret',
      'token',
      'api_key',
      'apikey',
      'api-key',
      'access_key',
      'accesskey',
      'auth_key',
      'private_key',
      'encryption_key',
      'signing_key',
      'credential',
      'client_key',
    ],
    pattern: sticky(
      String.raw`(?:secret|token|api[_-]?key|access_?key|auth_key|private_key|encryption_key|signing_key|credential|client_key)${NOT_A_VALUE}[\w.-]{0,16}?${ASSIGN}(?<=[\\"'${'`'}]|[=:][ \t]{0,8})(?<secret>[A-Za-z0-9+/=_.~-]{16,300})(?![A-Za-z0-9+/=_.~(\[-])`,
      'i',
    ),
    entropy: 3.5,
    confirm: looksRandom,
    loose: true,
    source: 'https://cwe.mitre.org/data/definitions/798.html',
  },
  {
    id: 'named-password',
    title: 'A password written out',
    severity: 'medium',
    why: 'Whoever reads the file has the password; many are used in more than one place.',
    anchors: ['passw', 'passphrase', '_pwd', 'pwd='],
    pattern: sticky(
      String.raw`(?:passw(?:or)?d|passphrase|_?pwd)${NOT_A_VALUE}\w{0,8}?${ASSIGN}(?<=["'${'`'}])(?<secret>[^\s"'${'`'}\\]{8,128})["'${'`'}\\]`,
      'i',
    ),
    entropy: 2.5,
    confirm: (secret) => /\d/.test(secret) && /[A-Za-z]/.test(secret) && !/^[\w.]+\(|[{}<>]/.test(secret),
    loose: true,
    source: 'https://cwe.mitre.org/data/definitions/259.html',
  },
];

/**
 * Random text goes from one kind of character (capitals, small letters, digits, signs) to another at nearly every second
 * character; names, paths and versions at one in five, when a word may begin with a capital. Text without a digit or without a
 * letter is taken for a name or a number.
 */
function looksRandom(value: string): boolean {
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  const kinds = [...value].map((c) =>
    /[a-z]/.test(c) ? 'a' : /[A-Z]/.test(c) ? 'A' : /\d/.test(c) ? '0' : '-',
  );
  const changes = kinds.filter(
    (kind, i) => i > 0 && kind !== kinds[i - 1] && `${kinds[i - 1]}${kind}` !== 'Aa',
  );
  const signs = kinds.filter((kind) => kind === '-');
  return changes.length / (value.length - 1) >= 0.3 && signs.length / value.length <= 0.2;
}
