import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html, type Slot, source, visible } from './markup.ts';

describe('html', () => {
  it('escapes what is put in, also inside an attribute', () => {
    expect(source(html`<b title="${`"'\`><script>`}">${'a & b'}</b>`)).toBe(
      '<b title="&quot;&#39;&#96;&gt;&lt;script&gt;">a &amp; b</b>',
    );
  });

  it('takes finished markup, lists and numbers, and leaves out what is empty', () => {
    const rows = ['<1>', '2'].map((each) => html`<li>${each}</li>`);
    expect(source(html`<ul>${rows}${null}${undefined}${false}${0}</ul>`)).toBe(
      '<ul><li>&lt;1&gt;</li><li>2</li>0</ul>',
    );
  });

  it('is not fooled by an object that looks like markup', () => {
    const forged = JSON.parse('{"markup":"<script>","Symbol(markup)":"<script>"}') as Slot;
    expect(source(html`${forged}`)).toBe('[object Object]');
  });

  it('lets no text open a tag, close an attribute or start an entity', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeHtml(text).replace(/&(amp|lt|gt|quot|#39|#96);/g, '')).not.toMatch(/[<>"'`&]/);
      }),
    );
  });
});

describe('visible', () => {
  it('shows control characters, reversed reading and invisible characters', () => {
    expect(visible('a\u0000b\u001b[31mc\u202egnp.exe\u200b\r\u2028')).toBe(
      'a\ufffdb\ufffd[31mc\ufffdgnp.exe\ufffd\ufffd\ufffd',
    );
  });

  it('leaves letters of all scripts, line feeds and tabs', () => {
    expect(visible('Straße\n道路\tطريق')).toBe('Straße\n道路\tطريق');
  });

  it('replaces half of a surrogate pair', () => {
    expect(visible('a\ud800b')).toBe('a\ufffdb');
  });
});
