import type { AllowList } from './allow-list.ts';

/** Data types of Python's own library. Whatever calls, imports, opens or looks up by name is left out. */
export const PYTHON: AllowList = {
  framework: 'Python',
  classes: {
    builtins: 'bool bytearray bytes complex float frozenset int object range slice str tuple',
    datetime: 'date datetime time timedelta timezone',
    decimal: 'Decimal',
    fractions: 'Fraction',
    ipaddress: 'IPv4Address IPv6Address',
    pathlib: 'Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath',
    'pathlib._local': 'Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath',
    uuid: 'SafeUUID UUID',
    argparse: 'Namespace',
    types: 'SimpleNamespace',
  },
  mappings: { builtins: 'dict', collections: 'Counter OrderedDict defaultdict' },
  sequences: { builtins: 'list set', collections: 'deque' },
  functions: {
    // Each has its arguments checked: see arguments.ts.
    _codecs: 'encode',
    copyreg: '__newobj__ __newobj_ex__ _reconstructor',
  },
  values: { builtins: 'Ellipsis NotImplemented' },
};
