import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { plainText } from './text.tsx';

/** A choice among few. `stacked`: in a form, with its name above it. */
export function Select({
  label,
  value,
  options,
  onChange,
  stacked = false,
}: {
  readonly stacked?: boolean;
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, words: string])[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <label class={stacked ? 'field' : 'inline-field'}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([each, words]) => (
          <option key={each} value={each}>
            {plainText(words)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A line in a form; `note` says what belongs there. */
export function Line({
  label,
  note,
  value,
  onInput,
  most = 128,
}: {
  readonly label: string;
  readonly note: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly most?: number;
}) {
  return (
    <label class="field">
      <span>
        {label} <span class="muted light">{note}</span>
      </span>
      <input
        type="text"
        maxLength={most}
        spellcheck={false}
        autocomplete="off"
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

/** Milliseconds after the last key before the server is asked. */
const REST = 250;

/** A line to look for something; `onFind` hears of it when the person rests. */
export function Search({
  label,
  value,
  onFind,
}: {
  readonly label: string;
  readonly value: string;
  readonly onFind: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined as never);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <label class="search">
      <span class="unseen">{label}</span>
      <input
        type="search"
        placeholder={label}
        maxLength={200}
        spellcheck={false}
        value={text}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onFind(next.trim()), REST);
        }}
      />
    </label>
  );
}

/** Choices and searches above a list. */
export function Filters({ children }: { readonly children: ComponentChildren }) {
  return <search class="filters">{children}</search>;
}

/** Names and what belongs to them. */
export function Facts({
  of,
}: {
  readonly of: readonly (readonly [name: string, value: ComponentChildren] | false | undefined)[];
}) {
  return (
    <dl class="facts">
      {of.map(
        (fact) =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
