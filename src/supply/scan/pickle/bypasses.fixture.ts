import { bytes, call, name, op, PAYLOAD, pickle, text } from './pickle.fixture.ts';

const latin1 = (line: string) => new Uint8Array(Buffer.from(line, 'latin1'));

/** Ways of reaching a name or a call that scanners have missed; each must be seen as what it is. */
export const PICKLE_BYPASSES: Readonly<
  Record<string, readonly [content: Uint8Array, verdict: string, rule: string]>
> = {
  'GLOBAL and REDUCE (protocol 0)': [
    latin1("cos\nsystem\n(S'echo'\ntR."),
    'malicious',
    'pickle/dangerous-name',
  ],
  'the name of Python 2, mapped on loading': [
    latin1("c__builtin__\neval\n(S'1'\ntR."),
    'malicious',
    'pickle/dangerous-name',
  ],
  'commands of Python 2': [latin1("ccommands\ngetoutput\n(S'id'\ntR."), 'malicious', 'pickle/dangerous-name'],
  STACK_GLOBAL: [pickle(PAYLOAD), 'malicious', 'pickle/dangerous-name'],
  INST: [latin1("(S'echo'\nios\nsystem\n."), 'malicious', 'pickle/dangerous-name'],
  'INST without a mark, which the unpickler in Python imports all the same': [
    bytes(op('PROTO', 2), op('NONE'), 'ios\nsystem\n.'),
    'malicious',
    'pickle/dangerous-name',
  ],
  'OBJ, popped at once': [
    pickle(op('MARK'), name('os', 'system'), text('echo'), op('OBJ'), op('POP'), op('NONE')),
    'malicious',
    'pickle/dangerous-name',
  ],
  NEWOBJ: [
    pickle(name('subprocess', 'Popen'), text('true'), op('TUPLE1'), op('NEWOBJ')),
    'malicious',
    'pickle/dangerous-name',
  ],
  NEWOBJ_EX: [
    pickle(name('subprocess', 'Popen'), op('EMPTY_TUPLE'), op('EMPTY_DICT'), op('NEWOBJ_EX')),
    'malicious',
    'pickle/dangerous-name',
  ],
  'operands of STACK_GLOBAL out of the memo': [
    pickle(
      text('os'),
      op('MEMOIZE'),
      op('POP'),
      text('system'),
      op('MEMOIZE'),
      op('POP'),
      op('BINGET', 0),
      op('BINGET', 1),
      op('STACK_GLOBAL'),
      text('x'),
      op('TUPLE1'),
      op('REDUCE'),
    ),
    'malicious',
    'pickle/dangerous-name',
  ],
  'MEMOIZE after PUT with another index': [
    pickle(
      text('math'),
      op('BINPUT', 7),
      op('POP'),
      text('os'),
      op('MEMOIZE'),
      op('POP'),
      op('BINGET', 1),
      text('system'),
      op('STACK_GLOBAL'),
      op('EMPTY_TUPLE'),
      op('REDUCE'),
    ),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a memo entry that changes its type': [
    pickle(
      op('BININT1', 1),
      op('BINPUT', 0),
      op('POP'),
      text('os'),
      op('BINPUT', 0),
      op('POP'),
      op('BINGET', 0),
      text('system'),
      op('STACK_GLOBAL'),
    ),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a name that is longer than a scan keeps': [
    pickle(
      op('BINUNICODE', 'a.'.repeat(3000)),
      text('x'),
      op('STACK_GLOBAL'),
      op('EMPTY_TUPLE'),
      op('REDUCE'),
    ),
    'suspicious',
    'pickle/unknown-name',
  ],
  'a name on a line that is longer than a scan keeps': [
    bytes(op('PROTO', 2), op('GLOBAL', 'a.'.repeat(3000), 'x'), op('STOP')),
    'suspicious',
    'pickle/unknown-name',
  ],
  'operands as STRING and BINSTRING': [
    bytes(
      op('PROTO', 4),
      op('STRING', "'os'"),
      op('BINSTRING', 'system'),
      op('STACK_GLOBAL'),
      op('EMPTY_TUPLE'),
      op('REDUCE'),
      op('STOP'),
    ),
    'malicious',
    'pickle/dangerous-name',
  ],
  'operands with escapes in UNICODE and STRING': [
    bytes(
      op('PROTO', 4),
      latin1('V\\u006f\\u0073\n'),
      latin1("S'\\x73yste\\155'\n"),
      op('STACK_GLOBAL'),
      op('EMPTY_TUPLE'),
      op('REDUCE'),
      op('STOP'),
    ),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a missing memo entry after the payload': [
    pickle(PAYLOAD, op('BINGET', 99)),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a missing memo entry before anything': [
    pickle(op('NONE'), op('BINGET', 99), op('POP')),
    'unreadable',
    'pickle/broken',
  ],
  'STACK_GLOBAL without operands, after the payload': [
    pickle(PAYLOAD, op('POP'), op('STACK_GLOBAL')),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a stream cut after the payload': [pickle(PAYLOAD).subarray(0, -1), 'malicious', 'pickle/dangerous-name'],
  'a stream cut between two opcodes': [
    pickle(op('EMPTY_LIST'), op('NONE'), op('APPEND')).subarray(0, -1),
    'unreadable',
    'pickle/broken',
  ],
  'an invalid opcode after the payload': [
    bytes(op('PROTO', 4), PAYLOAD, [0xff, 0xff]),
    'malicious',
    'pickle/broken',
  ],
  'a payload in the second pickle of a file': [
    bytes(pickle(op('NONE')), pickle(PAYLOAD)),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a payload behind a pickle of protocol 0': [
    bytes('I1\n.', "cos\nsystem\n(S'x'\ntR."),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a payload in bytes for a second loading': [
    pickle(op('BINBYTES', pickle(PAYLOAD))),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a payload as text, turned into bytes': [
    bytes(
      op('PROTO', 2),
      op('GLOBAL', '_codecs', 'encode'),
      op('BINUNICODE', "cos\nsystem\n(S'x'\ntR."),
      op('BINUNICODE', 'latin1'),
      op('TUPLE2'),
      op('REDUCE'),
      op('STOP'),
    ),
    'malicious',
    'pickle/dangerous-name',
  ],
  'an import alone, with text behind it': [
    latin1('cevil_module_beside_it\nx\n.and then some text'),
    'suspicious',
    'pickle/unknown-name',
  ],
  'an import alone that breaks off': [
    latin1('cevil_module_beside_it\nx\nbroken'),
    'suspicious',
    'pickle/unknown-name',
  ],
  'a name with a carriage return': [
    bytes(op('PROTO', 2), 'cos\r\nsystem\r\n', op('EMPTY_TUPLE'), op('REDUCE'), op('STOP')),
    'suspicious',
    'pickle/unknown-name',
  ],
  'a dotted name through a harmless module': [
    pickle(call('pathlib', 'os.system', text('x'))),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a dotted name that is not known to be dangerous': [
    pickle(name('collections', 'OrderedDict.fromkeys')),
    'suspicious',
    'pickle/dotted-name',
  ],
  'a submodule of a dangerous module': [
    pickle(call('asyncio.unix_events', '_UnixSubprocessTransport._start')),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a dunder name': [pickle(name('numpy', '__builtins__')), 'malicious', 'pickle/dunder-name'],
  'a dunder in a dotted name': [
    pickle(name('collections', 'OrderedDict.__init__')),
    'malicious',
    'pickle/dunder-name',
  ],
  EXT1: [pickle(op('EXT1', 5), op('EMPTY_TUPLE'), op('REDUCE')), 'suspicious', 'pickle/extension-code'],
  EXT2: [pickle(op('EXT2', 500)), 'suspicious', 'pickle/extension-code'],
  EXT4: [pickle(op('EXT4', 70_000)), 'suspicious', 'pickle/extension-code'],
  'a persistent id that is no storage': [
    pickle(text('anything'), op('BINPERSID')),
    'suspicious',
    'pickle/persistent-id',
  ],
  'a persistent id on a line': [
    bytes(op('PROTO', 2), op('PERSID', 'x'), op('STOP')),
    'suspicious',
    'pickle/persistent-id',
  ],
  'a function whose globals are rebound by BUILD (modelscan#330)': [
    pickle(
      name('numpy', 'ndarray'),
      op('MARK'),
      op('NONE'),
      op('EMPTY_DICT'),
      text('shape'),
      name('numpy', 'dtype'),
      op('SETITEM'),
      op('TUPLE'),
      op('BUILD'),
    ),
    'malicious',
    'pickle/build-on-other',
  ],
  'SETITEM on something that is no dictionary (CVE-2026-24747)': [
    pickle(call('numpy', 'ndarray', op('EMPTY_TUPLE')), op('BININT1', 0), op('BININT1', 0), op('SETITEM')),
    'malicious',
    'pickle/items-on-other',
  ],
  'an empty BUILD on a list, which loaders pass over, in front of a payload': [
    pickle(op('EMPTY_LIST'), op('NONE'), op('EMPTY_TUPLE'), op('TUPLE2'), op('BUILD'), PAYLOAD),
    'malicious',
    'pickle/dangerous-name',
  ],
  'SETITEMS on a name': [
    pickle(name('numpy', 'ndarray'), op('MARK'), text('a'), op('NONE'), op('SETITEMS')),
    'malicious',
    'pickle/items-on-other',
  ],
  'APPENDS on an instance': [
    pickle(call('numpy', 'ndarray', op('EMPTY_TUPLE')), op('MARK'), op('NONE'), op('APPENDS')),
    'suspicious',
    'pickle/append-on-other',
  ],
  'ADDITEMS on an instance': [
    pickle(call('numpy', 'ndarray', op('EMPTY_TUPLE')), op('MARK'), op('NONE'), op('ADDITEMS')),
    'suspicious',
    'pickle/append-on-other',
  ],
  'a call of what a call gave': [
    pickle(call('collections', 'OrderedDict'), op('EMPTY_TUPLE'), op('REDUCE')),
    'malicious',
    'pickle/computed-call',
  ],
  'a call of a constant': [pickle(call('torch', 'float32')), 'suspicious', 'pickle/unsafe-argument'],
  "a dunder in an instance's state": [
    pickle(
      call('collections', 'OrderedDict'),
      op('EMPTY_DICT'),
      text('__class__'),
      op('NONE'),
      op('SETITEM'),
      op('BUILD'),
    ),
    'suspicious',
    'pickle/dunder-state',
  ],
  'a dunder among the slots': [
    pickle(
      call('collections', 'OrderedDict'),
      op('NONE'),
      op('EMPTY_DICT'),
      text('__class__'),
      op('NONE'),
      op('SETITEM'),
      op('TUPLE2'),
      op('BUILD'),
    ),
    'suspicious',
    'pickle/dunder-state',
  ],
  'another codec of _codecs.encode': [
    pickle(call('_codecs', 'encode', text('x'), text('zip'))),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  '_load_from_bytes on computed bytes': [
    pickle(call('torch.storage', '_load_from_bytes', call('builtins', 'bytes', op('EMPTY_LIST')))),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  '_load_from_bytes on bytes of no known format': [
    pickle(call('torch.storage', '_load_from_bytes', op('BINBYTES', new Uint8Array(9).fill(0xfe)))),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  '_load_from_bytes handed on in a list': [
    pickle(op('EMPTY_LIST'), name('torch.storage', '_load_from_bytes'), op('APPEND')),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  '_load_from_bytes handed on in a tuple': [
    pickle(name('torch.storage', '_load_from_bytes'), op('TUPLE1')),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  '_codecs.encode handed on in a dictionary': [
    pickle(op('EMPTY_DICT'), text('hook'), name('_codecs', 'encode'), op('SETITEM')),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  'a factory of a defaultdict that is no plain type': [
    pickle(call('collections', 'defaultdict', name('numpy', 'ndarray'))),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  'a bit generator made by something else': [
    pickle(
      call('numpy.random._pickle', '__randomstate_ctor', text('MT19937'), name('collections', 'OrderedDict')),
    ),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  'copyreg._reconstructor on no class': [
    pickle(call('copyreg', '_reconstructor', text('x'), name('builtins', 'object'), op('NONE'))),
    'suspicious',
    'pickle/unsafe-argument',
  ],
  '_rebuild_from_type_v2 with a function of its own': [
    pickle(
      name('torch._tensor', '_rebuild_from_type_v2'),
      op('MARK'),
      name('os', 'system'),
      name('torch', 'Tensor'),
      text('x'),
      op('TUPLE1'),
      op('NONE'),
      op('TUPLE'),
      op('REDUCE'),
    ),
    'malicious',
    'pickle/dangerous-name',
  ],
  'a short frame that an opcode straddles (cpython#154848)': [
    bytes(op('PROTO', 4), op('FRAME', 3), text('os'), text('x'), op('POP'), op('STOP')),
    'malicious',
    'pickle/frame-boundary',
  ],
  'a frame inside a frame': [
    bytes(op('PROTO', 4), op('FRAME', 11), op('FRAME', 2), op('NONE'), op('STOP')),
    'malicious',
    'pickle/frame-boundary',
  ],
  'a frame past the end': [
    bytes(op('PROTO', 4), op('FRAME', 1000), op('NONE'), op('STOP')),
    'malicious',
    'pickle/frame-boundary',
  ],
  'STOP before the end of a frame': [
    bytes(op('PROTO', 4), op('FRAME', 6), op('NONE'), op('STOP'), 'xxxx'),
    'suspicious',
    'pickle/odd-structure',
  ],
  'PROTO in the middle': [
    bytes(op('PROTO', 4), op('PROTO', 2), op('NONE'), op('STOP')),
    'suspicious',
    'pickle/odd-structure',
  ],
  'REDUCE with arguments that are no tuple': [
    pickle(name('collections', 'OrderedDict'), op('NONE'), op('REDUCE')),
    'suspicious',
    'pickle/odd-structure',
  ],
  NEXT_BUFFER: [
    bytes(op('PROTO', 5), op('NEXT_BUFFER'), op('READONLY_BUFFER'), op('STOP')),
    'suspicious',
    'pickle/odd-structure',
  ],
  'bytes of no known format behind the pickle': [
    bytes(pickle(op('NONE')), '\xfe\xfe\xfe\xfe'),
    'unreadable',
    'pickle/trailing-bytes',
  ],
  'bytearray of a terabyte': [
    pickle(call('builtins', 'bytearray', op('LONG1', new Uint8Array([0, 0, 0, 0, 0, 1])))),
    'suspicious',
    'pickle/exhausting',
  ],
};

/** Functions that advisories and files in the wild have used. */
export const GADGETS =
  `pip.main asyncio.create_subprocess_shell timeit.timeit cProfile.run profile.run pdb.run bdb.Bdb trace.Trace.run
  doctest.debug_script ensurepip._run_pip venv.create code.InteractiveInterpreter idlelib.pyshell.ModifiedInterpreter
  lib2to3.pgen2.pgen.ParserGenerator pydoc.locate pydoc.pipepager pkgutil.resolve_name operator.methodcaller operator.attrgetter
  functools.partial types.CodeType types.FunctionType cloudpickle.cloudpickle._make_function dill._dill._create_function
  numpy.f2py.crackfortran.getlincoef numpy.f2py.crackfortran._eval_length numpy.testing._private.utils.runstring
  torch._dynamo.guards.GuardBuilder.get torch._inductor.codecache.compile_file
  torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression torch.jit.unsupported_tensor_ops.execWrapper
  torch.utils._config_module.load_config torch.utils.bottleneck.__main__.run_autograd_prof torch.utils.collect_env.run
  torch.utils.data.datapipes.utils.decoder.basichandlers torch.hub.load torch.load distutils.file_util.write_file
  logging.FileHandler _io.FileIO io.open imaplib.IMAP4_stream uuid._get_command_stdout ssl.get_server_certificate
  urllib.request.urlopen smtplib.SMTP multiprocessing.util.spawnv_passfds mlflow.projects.backend.local._run_entry_point
  pandas.read_csv pandas.read_pickle ctypes.CDLL importlib.import_module marshal.loads builtins.__import__ builtins.globals
  builtins.vars builtins.setattr builtins.getattr joblib.load codeop.compile_command sqlite3.connect ftplib.FTP
  tempfile.mkstemp zipimport.zipimporter linecache.getlines _frozen_importlib._find_and_load copyreg.add_extension
  _interpreters.run_string _posixsubprocess.fork_exec _pyrepl.console.Console _osx_support._read_output
  _aix_support._read_cmd_output runpy.run_path webbrowser.open shutil.rmtree pty.spawn posix.system nt.system sys.exit
  builtins.eval builtins.exec builtins.compile builtins.open socket.create_connection numpy.load numpy.fromfile`
    .split(/\s+/)
    .map((full) => [full.slice(0, full.lastIndexOf('.')), full.slice(full.lastIndexOf('.') + 1)] as const);
