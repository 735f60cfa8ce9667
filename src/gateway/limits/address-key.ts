/** Longer texts are no addresses (`ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%zone`). */
const LONGEST = 64;

/**
 * What an address is counted by: an IPv4 address by itself, written as IPv6 or not; an IPv6 address by its first `bits` bits. Whatever is
 * no address (a socket's name) is counted as one. An IPv6 address is attacker-controlled up to its network: whoever has one has 2⁶⁴.
 */
export function addressKey(address: string, bits: number): string {
  if (address.length > LONGEST) return 'other';
  if (!address.includes(':')) return isIPv4(address) ? address : 'other';
  const groups = groupsOf(address.split('%', 1)[0]!);
  if (!groups) return 'other';
  if (isMapped(groups))
    return `${groups[6]! >> 8}.${groups[6]! & 255}.${groups[7]! >> 8}.${groups[7]! & 255}`;
  let key = '';
  for (let i = 0; i * 16 < bits; i++) {
    const kept = Math.min(16, bits - i * 16);
    key += `${((groups[i]! >> (16 - kept)) << (16 - kept)).toString(16)}:`;
  }
  return key;
}

/** ::ffff:a.b.c.d, and 64:ff9b::a.b.c.d of RFC 6052, by which IPv4 clients reach IPv6 servers. */
function isMapped(groups: readonly number[]): boolean {
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0);
  return (
    (isZero(0, 5) && groups[5] === 0xffff) || (groups[0] === 0x64 && groups[1] === 0xff9b && isZero(2, 6))
  );
}

/** The eight groups of an IPv6 address; undefined where the text is none. */
function groupsOf(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [halves[0]!, halves[1]].map((half) =>
    half === undefined || half === '' ? [] : half.split(':'),
  ) as [string[], string[]];
  const written = [...head, ...tail];
  const last = written.at(-1);
  const parts: number[][] = [];
  for (const group of written) {
    if (group.includes('.')) {
      if (group !== last || !isIPv4(group)) return undefined;
      const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
      parts.push([(a << 8) | b, (c << 8) | d]);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) parts.push([Number.parseInt(group, 16)]);
    else return undefined;
  }
  const front = parts.slice(0, head.length).flat();
  const back = parts.slice(head.length).flat();
  const missing = 8 - front.length - back.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...front, ...new Array<number>(missing).fill(0), ...back];
}

function isIPv4(text: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  return match?.slice(1).every((part) => Number(part) <= 255) ?? false;
}

/** Addresses whose keys are remembered. */
const REMEMBERED = 4096;

/** As {@link addressKey}, with a memory of the last addresses, because the same ones come again and again. */
export function addressKeys(bits: number): (address: string) => string {
  const known = new Map<string, string>();
  return (address) => {
    const found = known.get(address);
    if (found !== undefined) return found;
    const key = addressKey(address, bits);
    if (known.size >= REMEMBERED) known.clear();
    if (address.length <= LONGEST) known.set(address, key);
    return key;
  };
}
