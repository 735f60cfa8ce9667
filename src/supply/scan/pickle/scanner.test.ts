import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { GADGETS, PICKLE_BYPASSES } from './bypasses.fixture.ts';
import { bytes, call, name, op, pickle, text } from './pickle.fixture.ts';

const latin1 = (line: string) => new Uint8Array(Buffer.from(line, 'latin1'));

/** Scans a pickle and gives verdict and rules. */
async function look(content: Uint8Array, file = 'model.pkl') {
  const result = await scanBytes(content, file);
  return {
    verdict: result.verdict,
    rules: ruleIds(result),
    formats: result.formats,
    findings: result.findings,
  };
}

describe('clean pickles', () => {
  it('are those whose every name and call is allowed', async () => {
    const state = bytes(
      call('collections', 'OrderedDict'),
      op('MARK'),
      text('weight'),
      call(
        'numpy._core.multiarray',
        '_reconstruct',
        name('numpy', 'ndarray'),
        op('BININT1', 0),
        op('SHORT_BINBYTES', 'b'),
      ),
      op('SETITEMS'),
    );
    expect(await look(pickle(state))).toMatchObject({ verdict: 'clean', formats: ['pickle'] });
  });

  it('are found by content, whatever the name', async () => {
    expect(await look(pickle(op('NONE')), 'readme.txt')).toMatchObject({
      verdict: 'clean',
      formats: ['pickle'],
    });
  });

  it('may follow each other, with padding at the end', async () => {
    const three = bytes(pickle(op('NONE')), latin1('I1\n.'), pickle(op('EMPTY_LIST')), '\0\0\n');
    expect(await look(three)).toMatchObject({ verdict: 'clean', formats: ['pickle'] });
  });

  it.each([
    'N.B. this is text',
    'cat\nmouse\nelephant',
    'ctypes\ncollections\n',
    '(c) 2026 somebody\nall rights\n',
    ')]}',
    'Vienna\nVenice\nbelow',
    'Vienna\nVenice\nabove',
    'Vienna\nVenice\nVaduz\nsince',
  ])('do not include the text %j', async (content) => {
    expect(await look(latin1(content), 'notes.txt')).toMatchObject({ verdict: 'clean', formats: [] });
  });
});

describe('a bypass of scanners is seen:', () => {
  it.each(Object.entries(PICKLE_BYPASSES))('%s', async (_, [content, verdict, rule]) => {
    const found = await look(content);
    expect(found.rules).toContain(rule);
    expect(found.verdict).toBe(verdict);
  });
});

describe('a gadget is malicious:', () => {
  it.each(GADGETS)('%s.%s', async (module, global) => {
    const { verdict, findings } = await look(pickle(call(module, global, text('x'))));
    expect(verdict).toBe('malicious');
    expect(findings[0]!.what).toBe(`${module}.${global}, called with ("x")`);
  });
});

it('a call of what nobody can call ends the pickle, as it does in Python', async () => {
  const number = bytes(op('BININT1', 1), op('EMPTY_TUPLE'), op('REDUCE'));
  const { verdict, findings } = await look(pickle(number, op('POP'), call('os', 'system', text('x'))));
  expect(verdict).not.toBe('clean');
  expect(findings.map(({ what }) => what).join()).toContain('which nobody can');
});

it('a name on no list is suspicious, also where its module has allowed names', async () => {
  const found = await look(pickle(call('sklearn.base', 'clone', op('NONE'))));
  expect(found).toMatchObject({ verdict: 'suspicious', rules: ['pickle/unknown-name'] });
});
