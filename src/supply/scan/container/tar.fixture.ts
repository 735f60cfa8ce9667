/** A member of a {@link tar}. */
export interface TarMember {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder, `L` long name, `x` pax. */
  readonly type?: string;
  readonly target?: string;
  /** Size that is declared. */
  readonly size?: number;
}

/** Writes a ustar archive, lies included. */
export function tar(members: readonly TarMember[], after = new Uint8Array(1024)): Uint8Array {
  const parts = members.flatMap(({ name, content = '', type = '0', target = '', size }) => {
    const bytes = Buffer.from(content as Uint8Array);
    const head = Buffer.alloc(512);
    head.write(name, 0, 100);
    head.write('0000644\0', 100);
    head.write((size ?? bytes.length).toString(8).padStart(11, '0'), 124);
    head.write('        ', 148);
    head.write(type, 156);
    head.write(target, 157, 100);
    head.write('ustar\x0000', 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return new Uint8Array(Buffer.concat([...parts, Buffer.from(after)]));
}
