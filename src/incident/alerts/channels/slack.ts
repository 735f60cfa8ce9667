import type { Channel, Transmit } from '../channel.ts';
import { headline, lines } from '../plain.ts';
import { type HttpPlace, overHttp } from './over-http.ts';

/** Most characters of a section (Slack's limit is 3,000). */
const MOST_SECTION = 2900;

/**
 * A message as Slack's incoming webhooks take it, and those that are compatible with them (Mattermost, Rocket.Chat). What callers chose stands in plain-text blocks, which are shown as
 * they are; in the text for notifications `&`, `<` and `>` are escaped, so nobody is mentioned and no link is hidden.
 */
export function slack(place: HttpPlace, transmit: Transmit): Channel {
  return overHttp(place, transmit, ({ message }) => {
    const head = headline(message);
    const text = (value: string) => ({
      type: 'plain_text',
      text: value.slice(0, MOST_SECTION).toWellFormed() || ' ',
      emoji: false,
    });
    const body = {
      text: escaped(head),
      unfurl_links: false,
      unfurl_media: false,
      link_names: false,
      blocks: [
        { type: 'header', text: text(head.slice(0, 150)) },
        { type: 'section', text: text(lines(message).join('\n').trim()) },
        {
          type: 'actions',
          elements: [{ type: 'button', text: text('Open in the console'), url: message.link }],
        },
      ],
    };
    return { body: JSON.stringify(body), headers: {} };
  });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
