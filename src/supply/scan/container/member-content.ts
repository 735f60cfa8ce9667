import { crc32 } from 'node:zlib';
import { type ByteSource, lookThrough } from '../../../data/byte-source.ts';
import type { ScanContext } from '../scanner.ts';
import { linkLeadsOut } from './member-name.ts';
import { CONTAINER_RULES } from './rules.ts';

/** CRC-32 of everything in a member. */
export async function checksumOf(
  source: ByteSource,
  { budget, signal }: Pick<ScanContext, 'budget' | 'signal'>,
): Promise<number> {
  let crc = 0;
  const look = (piece: Uint8Array) => {
    budget.step(64);
    crc = crc32(piece, crc);
  };
  await lookThrough(source, look, signal);
  return crc;
}

/** Most bytes of a link's target that are looked at. */
const MAX_TARGET = 4096;

/** Reports a link whose target, which is its content, lies outside; `at` is where it stands in the archive, where that is known. */
export async function checkLink(
  content: ByteSource,
  name: string,
  { report }: Pick<ScanContext, 'report'>,
  at?: number,
): Promise<void> {
  const target = new TextDecoder().decode(await content.read(0, Math.min(MAX_TARGET, content.size)));
  if (linkLeadsOut(name, target)) report(CONTAINER_RULES.linkEscape, `${name} leads to ${target}`, at);
}
