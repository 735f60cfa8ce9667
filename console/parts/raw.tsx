/** A text exactly as it is, in a box of its own that can be scrolled. */
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
      <pre class="raw">{of}</pre>
    </section>
  );
}
