import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** A part of a page with its own heading. `lead` says in a sentence what is seen; `side` stands at the right of the heading. */
export function Card({
  title,
  lead,
  side,
  children,
  tone,
  flush = false,
}: {
  readonly title?: ComponentChildren;
  readonly lead?: ComponentChildren;
  readonly side?: ComponentChildren;
  readonly children?: ComponentChildren;
  readonly tone?: 'alarmed' | 'held' | undefined;
  /** Without room at the sides: for tables. */
  readonly flush?: boolean;
}) {
  const heading = useId();
  return (
    <section
      class={`card${tone ? ` ${tone}` : ''}${flush ? ' flush' : ''}`}
      {...(title ? { 'aria-labelledby': heading } : {})}
    >
      {(title || side) && (
        <header class="card-head">
          {title && <h2 id={heading}>{title}</h2>}
          {side && <div class="side">{side}</div>}
        </header>
      )}
      {lead && <p class="lead">{lead}</p>}
      {children}
    </section>
  );
}

/** What a page says first: a word about how things are, a sentence, and the story in a few more. */
export function Opening({
  chip,
  tone = 'rest',
  title,
  children,
  side,
}: {
  readonly chip?: ComponentChildren;
  readonly tone?: 'held' | 'changed' | 'rest' | 'warn';
  readonly title: ComponentChildren;
  readonly children?: ComponentChildren;
  readonly side?: ComponentChildren;
}) {
  return (
    <div class="opening">
      <div>
        {chip && (
          <p>
            <span class={`chip ${tone}`}>{chip}</span>
          </p>
        )}
        <h1 tabIndex={-1}>{title}</h1>
        {children && <div class="story">{children}</div>}
      </div>
      {side && <div class="opening-side">{side}</div>}
    </div>
  );
}
