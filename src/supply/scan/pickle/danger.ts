/**
 * Names that are dangerous for sure. This list decides how a finding is called (malicious instead of suspicious), never whether
 * there is one: whatever is not on an allow list is a finding.
 */

/** Modules whose every name is dangerous, with all modules below them. Names of Python 2 are among them. */
const MODULES: ReadonlySet<string> = new Set(
  `os posix nt ntpath posixpath sys subprocess commands popen2 shutil pty tty platform ctypes cffi socket _socket ssl
  select asyncio _asyncio multiprocessing _multiprocessing threading _thread thread concurrent signal runpy imp importlib
  zipimport zipapp pkgutil _frozen_importlib _frozen_importlib_external _imp linecache inspect code codeop ast dis marshal pickle
  _pickle cPickle pickletools shelve dbm dill cloudpickle joblib.memory pdb bdb trace cProfile profile _lsprof timeit doctest
  unittest test pydoc webbrowser ensurepip venv idlelib lib2to3 distutils setuptools pkg_resources pip _pyrepl _osx_support
  _aix_support _posixsubprocess _winapi winreg _winreg msvcrt _interpreters _xxsubinterpreters interpreters _testcapi
  _testinternalcapi gc faulthandler types operator _operator functools _functools requests urllib urllib2 urllib3 http httplib
  aiohttp httpx ftplib smtplib smtpd poplib imaplib nntplib telnetlib xmlrpc socketserver SocketServer wsgiref cgi cgitb
  paramiko fabric sqlite3 tempfile glob fileinput codecs logging.config logging.handlers bz2 gzip lzma zipfile tarfile mmap site
  sitecustomize usercustomize sysconfig getpass rlcompleter readline cmd sched atexit mlflow.projects numpy.f2py
  numpy.distutils numpy.testing numpy.ctypeslib numpy.lib.npyio torch.hub torch.jit torch._dynamo torch._inductor torch.fx
  torch.distributed.rpc torch.distributed.elastic torch.multiprocessing torch.package torch.onnx torch.serialization torch.ops
  torch.testing torch._ops torch.utils.bottleneck torch.utils.collect_env torch.utils._config_module torch.utils.cpp_extension
  torch.utils.model_zoo torch.utils.data.datapipes torch.classes pandas.io pandas.core.computation jinja2 mako yaml execnet
  pexpect sh plumbum psutil win32api win32com hydra.utils`.split(/\s+/),
);

/** Single names in modules that are not dangerous as a whole. */
const NAMES: Readonly<Record<string, string>> = {
  builtins:
    'eval exec execfile compile open file __import__ getattr setattr delattr hasattr globals locals vars dir input raw_input breakpoint exit quit help apply reload reduce map filter type super classmethod staticmethod property memoryview print callable iter next id',
  io: 'open open_code FileIO',
  _io: 'open open_code FileIO',
  logging: 'FileHandler basicConfig',
  copyreg: 'add_extension remove_extension clear_extension_cache pickle constructor dispatch_table',
  uuid: '_get_command_stdout _popen _find_mac _ifconfig_getnode _ip_getnode _arp_getnode _lanscan_getnode _netstat_getnode _find_mac_near_keyword _find_mac_under_heading getnode',
  joblib: 'load dump Memory Parallel delayed',
  'joblib.numpy_pickle':
    'load load_temporary_memmap NumpyUnpickler _unpickle read_array NDArrayWrapper ZNDArrayWrapper',
  numpy:
    'load loads loadtxt genfromtxt fromfile save savetxt savez memmap frompyfunc vectorize apply_along_axis fromfunction fromregex size DataSource source lookfor',
  pandas:
    'read_pickle read_csv read_json read_html read_sql read_excel read_hdf read_feather read_parquet read_xml read_clipboard read_fwf read_table eval',
  torch: 'load save compile from_file hub ops classes _C import_ir_module jit',
  'torch.storage': '_new_shared',
  collections: 'namedtuple UserDict',
  string: 'Formatter Template',
  itertools: 'starmap accumulate takewhile dropwhile',
  antigravity: 'geohash webbrowser',
  scipy: 'io',
  'scipy.io': 'loadmat savemat',
  'sklearn.datasets': 'fetch_openml fetch_file load_files load_svmlight_file get_data_home clear_data_home',
};

const names = new Map(Object.entries(NAMES).map(([module, list]) => [module, new Set(list.split(' '))]));

/** Modules of Python 2 under the names that Python 3 gives them; unpicklers map them up to protocol 2. */
const RENAMED: Readonly<Record<string, string>> = { __builtin__: 'builtins', copy_reg: 'copyreg' };

/** The name of a module in Python 3, as an unpickler of the given protocol would import it. */
export function currentModule(module: string, protocol: number): string {
  return (protocol < 3 ? RENAMED[module] : undefined) ?? module;
}

/** Whether importing `name` from `module` is dangerous for sure. Both are attacker-controlled. */
export function isDangerous(module: string, name: string): boolean {
  const plain = RENAMED[module] ?? module;
  const parts = plain.split('.');
  for (let i = 1; i <= parts.length; i++) if (MODULES.has(parts.slice(0, i).join('.'))) return true;
  if (names.get(plain)?.has(name)) return true;
  // A dotted name walks attributes: `pathlib` + `os.system`, `collections` + `abc.sys.modules`.
  const steps = name.split('.');
  return steps.length > 1 && steps.some((step) => MODULES.has(step) || names.get('builtins')!.has(step));
}
