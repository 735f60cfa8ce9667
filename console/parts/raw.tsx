import { plainText } from './text.tsx';

/** A text as it is, line by line, in a box of its own that can be scrolled; characters that cannot be seen are spelt out. */
export function Raw({
  of,
  label,
  tall = false,
}: {
  readonly of: string;
  readonly label: string;
  readonly tall?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reached by keyboard, too.
    <section class={`raw-box${tall ? ' tall' : ''}`} tabIndex={0} aria-label={label}>
      <pre class="raw">
        {of
          .split(/([\n\t])/)
          .map((part, i) => (i % 2 === 0 ? plainText(part) : part))
          .join('')}
      </pre>
    </section>
  );
}
