import type { ComponentChildren } from 'preact';

/** A figure that is read from afar, what it counts, and what it is held against. */
export function Stat({
  value,
  what,
  note,
  tone,
  title,
}: {
  readonly value: ComponentChildren;
  readonly what: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: 'held' | 'changed' | undefined;
  readonly title?: string;
}) {
  return (
    <div class={`stat${tone ? ` ${tone}` : ''}`} title={title}>
      <span class="figure">{value}</span>
      <span class="what">{what}</span>
      {note && <span class="muted note">{note}</span>}
    </div>
  );
}

/** Figures side by side. */
export function Stats({ children }: { readonly children: ComponentChildren }) {
  return <div class="stats">{children}</div>;
}
