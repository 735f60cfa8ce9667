import { BlockList, isIP } from 'node:net';
import { plainAddress } from '../identity/network-address.ts';

/** Which networks may be asked. Public addresses always may. */
export interface ReachableNetworks {
  /** This machine. */
  readonly loopback: boolean;
  /** Networks that are not on the internet (RFC 1918, RFC 4193, RFC 6598). */
  readonly private: boolean;
}

const listOf = (...ranges: readonly (readonly [address: string, bits: number])[]): BlockList => {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list;
};

const LOOPBACK = listOf(['127.0.0.0', 8], ['::1', 128]);
const PRIVATE = listOf(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
);
/** Nothing that anybody asks on purpose: metadata services of clouds, link-local, multicast, reserved; and IPv6 that carries an IPv4 address past this list. */
const NEVER = listOf(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.0', 24],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['2001::', 32],
  ['fd00:ec2::', 32],
  ['fd20:ce::', 32],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
);

/** Whether a connection to this address may be made: the address itself, after all names were resolved. */
export function isReachable(text: string, networks: ReachableNetworks): boolean {
  const address = plainAddress(text);
  if (address === undefined) return false;
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (NEVER.check(address, family)) return false;
  if (LOOPBACK.check(address, family)) return networks.loopback;
  return PRIVATE.check(address, family) ? networks.private : true;
}
