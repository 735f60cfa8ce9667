import type { Budget } from '../../limits.ts';
import type { Cursor, Hdf5Reader } from './reader.ts';

/** One message of an object's header. */
export interface HeaderMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: Cursor;
}

/** Types of messages that are looked at. */
export const MESSAGE = {
  linkInfo: 0x02,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/**
 * The messages of the object header at an address, of both versions, with continuations followed.
 * Source: HDF5 File Format Specification 3.0, section IV.A.1.
 */
export async function* headerMessages(
  reader: Hdf5Reader,
  address: number,
  budget: Budget,
): AsyncGenerator<HeaderMessage> {
  const start = await reader.at(address, 12);
  const isNew = Buffer.from(start.bytes(4)).toString('latin1') === 'OHDR';
  const chunks: { readonly address: number; readonly length: number }[] = [];
  let ordered = false;
  if (isNew) {
    start.u8();
    const flags = start.u8();
    ordered = (flags & 4) !== 0;
    const before = 6 + ((flags & 0x20) === 0 ? 0 : 16) + ((flags & 0x10) === 0 ? 0 : 4);
    const width = 1 << (flags & 3);
    const length = (await reader.at(address + before, width)).number(width);
    chunks.push({ address: address + before + width, length });
  } else {
    start.u32();
    chunks.push({ address: address + 16, length: start.u32() });
  }
  const seen = new Set<number>();
  for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop()) {
    // A header that goes on in itself would never end.
    if (seen.has(chunk.address)) continue;
    seen.add(chunk.address);
    budget.step();
    const body = await reader.at(chunk.address, chunk.length);
    const least = isNew ? 4 : 8;
    while (body.left >= least) {
      budget.step();
      const type = isNew ? body.u8() : body.u16();
      const length = body.u16();
      const flags = body.u8();
      if (isNew) body.bytes(ordered ? 2 : 0);
      else body.bytes(3);
      const message = reader.within(body.bytes(length));
      if (type !== MESSAGE.continuation) {
        yield { type, flags, body: message };
        continue;
      }
      const [next, size] = [message.address(), message.length()];
      if (next !== undefined)
        chunks.push(
          isNew ? { address: next + 4, length: Math.max(0, size - 8) } : { address: next, length: size },
        );
    }
  }
}
