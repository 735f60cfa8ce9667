import type { Scanner } from '../scanner.ts';
import { CONTAINER_RULES as RULE } from './rules.ts';

const FORMATS: readonly (readonly [title: string, mark: string])[] = [
  ['RAR', 'Rar!\x1a\x07'],
  ['LZ4', '\x04\x22\x4d\x18'],
  ['old joblib array (ZNDArrayWrapper)', 'ZF0x'],
  ['CAB', 'MSCF'],
  ['a Git LFS pointer in place of the file', 'version https://git-lfs'],
];

/** Containers and stand-ins that are known and not read: a finding that names them, never silence. */
export const unsupportedScanner: Scanner = {
  id: 'unsupported',
  title: `Known and not read: ${FORMATS.map(([title]) => title).join(', ')}`,
  rules: [RULE.unsupported],
  recognises: ({ head }) => formatOf(head) !== undefined,
  async scan(source, { report }) {
    report(
      RULE.unsupported,
      `${formatOf(await source.read(0, Math.min(32, source.size)))}; get what it stands for and scan that`,
    );
  },
};

function formatOf(head: Uint8Array): string | undefined {
  const text = Buffer.from(head.subarray(0, 32)).toString('latin1');
  return FORMATS.find(([, mark]) => text.startsWith(mark))?.[0];
}
