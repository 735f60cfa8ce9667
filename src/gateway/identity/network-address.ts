import { isIPv4, isIPv6 } from 'node:net';

/**
 * A remote address in one form, so that each has one only: IPv4 as it is, `::ffff:192.0.2.1` as IPv4, IPv6 in eight groups without zone.
 * Undefined for anything else.
 */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const address = text.replace(/%.*$/s, '');
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return [groups[6]!, groups[7]!].flatMap((group) => [group >> 8, group & 255]).join('.');
  return groups.map((group) => group.toString(16)).join(':');
}

/** Addresses that one party usually has all of: an IPv4 address, or the first 64 bits of an IPv6 one. Anything else is its own. */
export function neighbourhoodOf(text: string): string {
  const address = plainAddress(text);
  if (address === undefined) return `?${text.slice(0, 64)}`;
  return isIPv4(address) ? address : `${address.split(':').slice(0, 4).join(':')}::/64`;
}

/** The eight groups of an IPv6 address (RFC 4291, section 2.2). */
function groupsOf(address: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16);
  const whole = dotted
    ? `${dotted[1]}${hex(dotted[2]!, dotted[3]!)}:${hex(dotted[4]!, dotted[5]!)}`
    : address;
  const [head = '', tail] = whole.split('::');
  const read = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [read(head), read(tail ?? '')];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}
