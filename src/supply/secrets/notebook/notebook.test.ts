import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNotebook, type Json } from './cell.ts';
import { notebookPieces } from './pieces.ts';
import { stripNotebook } from './strip.ts';

const PICTURE = `iVBORw0KGgo${'A'.repeat(40)}`;

const notebook = {
  cells: [
    {
      cell_type: 'markdown',
      metadata: {},
      source: ['# Title\n', 'text'],
      attachments: { 'a.txt': { 'text/plain': 'attached' } },
    },
    {
      cell_type: 'code',
      execution_count: 3,
      metadata: { collapsed: true, tags: ['keep'] },
      source: 'login("x")\n',
      outputs: [
        { output_type: 'stream', name: 'stderr', text: ['warn\n', 'streamed'] },
        { output_type: 'error', ename: 'E', evalue: 'v', traceback: ['frame one', 'frame two'] },
        {
          output_type: 'display_data',
          data: { 'image/png': PICTURE, 'text/html': ['<b>', 'shown</b>'] },
          metadata: {},
        },
        { output_type: 'display_data', data: { 'image/png': 'no picture at all' }, metadata: {} },
      ],
    },
  ],
  metadata: { kernelspec: { name: 'python3' }, widgets: { state: { value: 'in a widget' } } },
  nbformat: 4,
  nbformat_minor: 5,
} satisfies Json;

const raw = `${JSON.stringify(notebook, null, 1)}\n`;
const pieces = () => new Map([...notebookPieces(notebook, raw)].map(({ place, text }) => [place, text]));

describe('the texts of a notebook', () => {
  it('are sources, outputs, tracebacks, attachments and metadata, with the places a reader knows', () => {
    const found = pieces();
    expect(found.get('cell 1, source')).toBe('# Title\ntext');
    expect(found.get('cell 1, attachments, a.txt, text/plain')).toBe('attached');
    expect(found.get('cell 2, source')).toBe('login("x")\n');
    expect(found.get('cell 2, output 1, text')).toBe('warn\nstreamed');
    expect(found.get('cell 2, output 2, traceback')).toBe('frame oneframe two');
    expect(found.get('cell 2, output 3, text/html')).toBe('<b>shown</b>');
    expect(found.get('notebook, metadata, widgets, state, value')).toBe('in a widget');
  });

  it('leave pictures out, but not what only says that it is a picture', () => {
    const found = pieces();
    expect([...found.values()]).not.toContain(PICTURE);
    expect(found.get('cell 2, output 4, image/png')).toBe('no picture at all');
  });

  it('know the line of the file', () => {
    const [piece] = [...notebookPieces(notebook, raw)].filter(({ place }) => place === 'cell 2, source');
    const line = piece?.lineOf?.('login("x")');
    expect(raw.split('\n')[(line ?? 0) - 1]).toContain('login(');
  });

  it('are found in worksheets of the old format, too', () => {
    const old = {
      nbformat: 3,
      worksheets: [{ cells: [{ cell_type: 'code', input: ['a = 1'] }] }],
    } satisfies Json;
    expect(isNotebook(old)).toBe(true);
    expect([...notebookPieces(old, '')].map(({ place, text }) => [place, text])).toContainEqual([
      'cell 1, source',
      'a = 1',
    ]);
  });

  it('come out of any JSON without an error, however deep', () => {
    let deep: Json = 'deep';
    for (let i = 0; i < 50_000; i++) deep = [deep];
    const odd = { nbformat: 4, cells: [deep, null, 3, { outputs: { data: [deep] } }] } satisfies Json;
    expect([...notebookPieces(odd, '')].filter(({ text }) => text === 'deep')).toHaveLength(2);
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (cells) => {
        for (const { text } of notebookPieces({ nbformat: 4, cells: cells as Json[] }, '{}'))
          expect(text).not.toBe('');
      }),
    );
  });
});

describe('a stripped notebook', () => {
  const stripped = JSON.parse(stripNotebook(raw, 'a.ipynb'));

  it('has no outputs, counts, run metadata or widget state, and keeps all else', () => {
    expect(stripped.cells[1]).toEqual({
      cell_type: 'code',
      execution_count: null,
      metadata: { tags: ['keep'] },
      source: 'login("x")\n',
      outputs: [],
    });
    expect(stripped.cells[0]).toEqual(notebook.cells[0]);
    expect(stripped.metadata).toEqual({ kernelspec: { name: 'python3' } });
    expect(stripped.nbformat).toBe(4);
  });

  it('keeps the indentation and the end of the file, and is what stripping it again gives', () => {
    const once = stripNotebook(raw, 'a.ipynb');
    expect(once.startsWith('{\n "cells"') && once.endsWith('}\n')).toBe(true);
    expect(stripNotebook(once, 'a.ipynb')).toBe(once);
    const tabs = JSON.stringify(notebook, null, '\t');
    expect(stripNotebook(tabs, 'a.ipynb').startsWith('{\n\t"cells"')).toBe(true);
    expect(stripNotebook(JSON.stringify(notebook), 'a.ipynb')).not.toContain('\n');
  });

  it('is refused where there is no notebook', () => {
    const error = expect.objectContaining({ code: 'data/unreadable' });
    for (const text of ['', '{', '[]', '{"nbformat": 4}', '{"cells": []}'])
      expect(() => stripNotebook(text, 'x'), text).toThrow(error);
  });
});
