import { bytes, op, PAYLOAD, pickle } from '../pickle/pickle.fixture.ts';
import { type FixtureMember, zip } from './zip.fixture.ts';

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));

const one = (member: Partial<FixtureMember>) => zip([{ name: 'a.pkl', content: CLEAN, ...member }]);

/** Archives that readers disagree on. Each holds something that a lenient reader loads. */
export const ZIP_BYPASSES: Readonly<
  Record<string, readonly [content: Uint8Array, verdict: string, rules: readonly string[]]>
> = {
  'another extension inside (CVE-2025-1889)': [
    one({ name: 'config.p', content: EVIL }),
    'malicious',
    ['pickle/dangerous-name'],
  ],
  'another name in the local header (CVE-2025-1944)': [
    one({ local: { name: 'b.pkl' }, content: EVIL }),
    'malicious',
    ['pickle/dangerous-name', 'zip/name-mismatch'],
  ],
  'another name in the extra field': [
    one({ unicodeName: '../b.pkl', content: EVIL }),
    'malicious',
    ['pickle/dangerous-name', 'zip/name-mismatch'],
  ],
  '32-bit fields that say something else than the 64-bit ones': [
    zip([{ name: 'a.pkl', content: CLEAN }], undefined, undefined, 'lies'),
    'suspicious',
    ['zip/two-directories'],
  ],
  'the flag of encryption on plain content (CVE-2025-1945)': [
    one({ flags: 1, content: EVIL }),
    'malicious',
    ['archive/encrypted', 'pickle/dangerous-name'],
  ],
  'the flag of encryption in one header': [
    one({ local: { flags: 1 } }),
    'suspicious',
    ['archive/encrypted', 'zip/header-mismatch'],
  ],
  'the flag 0x20 (CVE-2025-1945)': [
    one({ flags: 0x20, content: EVIL }),
    'malicious',
    ['pickle/dangerous-name', 'zip/odd-flags'],
  ],
  'the flag 0x40 (CVE-2025-1945)': [one({ flags: 0x40 }), 'suspicious', ['zip/odd-flags']],
  'a wrong checksum (CVE-2025-10156)': [
    one({ crc: 1, content: EVIL }),
    'malicious',
    ['pickle/dangerous-name', 'zip/bad-checksum'],
  ],
  'a wrong checksum, deflated': [
    one({ crc: 1, content: EVIL, deflate: true }),
    'malicious',
    ['pickle/dangerous-name', 'zip/bad-checksum'],
  ],
  'a wrong size': [one({ size: 3, deflate: true }), 'suspicious', ['zip/bad-checksum']],
  'stored with two sizes': [one({ size: 999 }), 'suspicious', ['zip/bad-checksum']],
  'damaged deflate': [
    one({ content: new Uint8Array([0xff, 0xff, 0xff]), method: 8 }),
    'suspicious',
    ['zip/bad-checksum'],
  ],
  'another method in the local header': [
    one({ local: { method: 8 } }),
    'suspicious',
    ['zip/header-mismatch'],
  ],
  'a password': [
    one({ flags: 1, content: new Uint8Array(40).fill(0xf7), method: 8 }),
    'unreadable',
    ['archive/encrypted'],
  ],
  'a method that is not read': [
    one({ method: 98, content: new Uint8Array(9).fill(0xfe) }),
    'unreadable',
    ['archive/unsupported', 'file/unknown-format'],
  ],
  'two members of one name': [
    zip([
      { name: 'a.pkl', content: CLEAN },
      { name: 'a.pkl', content: EVIL },
    ]),
    'malicious',
    ['archive/duplicate-name', 'pickle/dangerous-name'],
  ],
  'names that differ in case': [
    zip([
      { name: 'a.pkl', content: CLEAN },
      { name: 'A.pkl', content: CLEAN },
    ]),
    'suspicious',
    ['archive/duplicate-name'],
  ],
  'a member that the directory does not list': [
    zip([
      { name: 'a.pkl', content: CLEAN },
      { name: 'b.pkl', content: EVIL, hidden: true },
      { name: 'c.pkl', content: CLEAN },
    ]),
    'malicious',
    ['archive/bytes-outside', 'file/damaged', 'pickle/dangerous-name'],
  ],
  'a pickle in front': [
    zip([{ name: 'a.pkl', content: CLEAN }], EVIL),
    'malicious',
    ['archive/bytes-outside', 'pickle/dangerous-name'],
  ],
  'a comment that is another archive': [
    zip([{ name: 'a.pkl', content: CLEAN }], undefined, zip([{ name: 'b.pkl', content: EVIL }])),
    'malicious',
    ['archive/bytes-outside', 'pickle/dangerous-name', 'zip/two-directories'],
  ],
  'bytes behind the end': [
    bytes(zip([{ name: 'a.pkl', content: CLEAN }]), EVIL),
    'malicious',
    ['archive/bytes-outside', 'pickle/dangerous-name'],
  ],
  'a name that goes up': [one({ name: '../../etc/x' }), 'malicious', ['archive/path-escape']],
  'an absolute name': [one({ name: '/etc/x' }), 'malicious', ['archive/path-escape']],
  'a name with a drive': [one({ name: 'C:x' }), 'malicious', ['archive/path-escape']],
  'backslashes that go up': [one({ name: 'a\\..\\..\\x' }), 'malicious', ['archive/path-escape']],
  'a symbolic link that leads out': [
    one({ name: 'a/b', content: '../../etc/passwd', mode: 0xa1ff }),
    'malicious',
    ['archive/link', 'archive/link-escape'],
  ],
  'a symbolic link inside': [
    one({ name: 'a/b', content: '../c', mode: 0xa1ff }),
    'suspicious',
    ['archive/link'],
  ],
  'a member that is not where the directory says': [
    one({ lost: true }),
    'suspicious',
    ['archive/bytes-outside', 'file/damaged', 'zip/header-mismatch'],
  ],
  'a member over the directory': [
    one({ packedSize: 60, size: 60, content: CLEAN }),
    'malicious',
    ['pickle/trailing-bytes', 'zip/bad-checksum', 'zip/overlap'],
  ],
  'members over each other': [
    zip([
      { name: 'a', content: CLEAN },
      { name: 'b', content: CLEAN, samePlace: true },
    ]),
    'malicious',
    ['zip/name-mismatch', 'zip/overlap'],
  ],
  'a directory that is cut': [
    zip([{ name: 'a', content: CLEAN }]).subarray(0, -10),
    'unreadable',
    ['file/damaged'],
  ],
};
