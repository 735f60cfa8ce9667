import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { GlacisError } from '../../../core/error.ts';

/** Which addresses may be connected to. */
export interface Networks {
  allows(address: string): boolean;
  /** For `net.connect`: the addresses of a name that are allowed, looked up for each connection, so that a name which begins to lead elsewhere is noticed. */
  readonly lookup: LookupFunction;
  /** An allowed address of the host, a name or an address. Errors: `endpoint/unavailable`. */
  resolve(host: string): Promise<string>;
}

/** Where clouds answer anybody on the machine, some with its credentials: link-local addresses, and what AWS, Azure and Alibaba have beside them. */
const LINK_LOCAL = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254/128',
  '168.63.129.16/32',
  '100.100.100.200/32',
];

/** The networks `allowed` (CIDR), or all but link-local ones. `system`: the system's own resolver. */
export function networks(allowed: readonly string[] | undefined, system = systemLookup): Networks {
  const list = new BlockList();
  for (const cidr of allowed ?? LINK_LOCAL) {
    const [address = '', bits = ''] = cidr.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  const allows = (address: string): boolean => {
    const family = isIP(address);
    if (family === 0) return false;
    // BlockList sees through IPv4 addresses that are written as IPv6.
    const listed = list.check(address, family === 6 ? 'ipv6' : 'ipv4');
    return allowed === undefined ? !listed : listed;
  };
  const lookup: LookupFunction = (host, options, callback) => {
    system(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const fitting = found.filter(({ address }) => allows(address));
      const [first] = fitting;
      if (!first) return callback(Object.assign(new Error('no allowed address'), { code: 'EACCES' }), '', 0);
      if (options.all) callback(null, fitting);
      else callback(null, first.address, first.family);
    });
  };
  return {
    allows,
    lookup,
    resolve: (host) =>
      new Promise((resolve, reject) => {
        const refuse = (why: string) =>
          reject(new GlacisError('endpoint/unavailable', `upstream: expected an allowed address, ${why}`));
        if (isIP(host) !== 0) return allows(host) ? resolve(host) : refuse('got one that is not');
        lookup(host, { all: false }, (error, address) =>
          error || typeof address !== 'string' ? refuse(`got ${error?.code ?? 'none'}`) : resolve(address),
        );
      }),
  };
}
