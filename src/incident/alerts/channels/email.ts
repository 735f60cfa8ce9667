import { isIP, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { GlacisError } from '../../../core/error.ts';
import { type Channel, type Connect, type Delivery, type Networks, TRY_TIMEOUT } from '../channel.ts';
import { headline, lines } from '../plain.ts';

/** The mail server, and whom to write. */
export interface MailPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'always' | 'none';
  readonly ca: string | undefined;
  readonly networks: Networks;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

/** Codes of SMTP that are about the message: its size, its content (RFC 5321, section 4.2.3). */
const REFUSED = new Set([552, 554]);

/**
 * Mail, as text alone: nothing in it is markup. Messages of one case are one conversation, and one that is sent twice has the same `Message-ID`. The connection is made to an address
 * that was checked; without TLS only on this machine. Errors: `option/invalid`.
 */
export function email(place: MailPlace, connect: Connect): Channel {
  const { host, port, tls, ca, networks, user, password, from, to } = place;
  if (tls === 'none' && !networks.loopback)
    throw new GlacisError(
      'option/invalid',
      'email: expected TLS, except with insecureLoopback on this machine',
    );
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    to: `${to.join(', ')} (${host})`,
    async deliver({ id, message, at }) {
      let socket: Socket;
      try {
        // Without TLS to this machine alone, whatever its name leads to.
        socket = await connect(
          { host, port },
          tls === 'none' ? { loopback: true, private: false } : networks,
          TRY_TIMEOUT,
        );
      } catch (thrown) {
        return {
          ok: false,
          because: thrown instanceof GlacisError ? thrown.message : `${host}: no connection`,
        };
      }
      const transport = createTransport({
        host,
        port,
        secure: tls === 'always',
        requireTLS: tls === 'starttls',
        ignoreTLS: tls === 'none',
        tls: {
          minVersion: 'TLSv1.2',
          ...(isIP(host) === 0 && { servername: host }),
          ...(ca !== undefined && { ca }),
        },
        ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
        connectionTimeout: TRY_TIMEOUT,
        greetingTimeout: TRY_TIMEOUT,
        socketTimeout: TRY_TIMEOUT,
        disableFileAccess: true,
        disableUrlAccess: true,
        getSocket: (_: unknown, done: (error: Error | null, given: { connection: Socket }) => void) =>
          done(null, { connection: socket }),
      } as Parameters<typeof createTransport>[0]);
      try {
        const thread = `<${message.case.id.replace(/[^A-Za-z0-9-]/g, '')}.case@${domain}>`;
        await transport.sendMail({
          from,
          to: [...to],
          subject: headline(message),
          text: [...lines(message), '', message.link, ''].join('\n'),
          date: new Date(at),
          messageId: `<${id}@${domain}>`,
          inReplyTo: thread,
          references: thread,
          headers: { 'auto-submitted': 'auto-generated', 'x-glacis-action': message.action },
        });
        return { ok: true };
      } catch (thrown) {
        return failureOf(thrown, host);
      } finally {
        transport.close();
        socket.destroy();
      }
    },
  };
}

/** What went wrong, by code: the server's own words could hold anything. */
function failureOf(thrown: unknown, host: string): Delivery {
  const { code, responseCode } = thrown as { readonly code?: unknown; readonly responseCode?: unknown };
  const said = [code, responseCode]
    .filter((each) => typeof each === 'string' || typeof each === 'number')
    .join(' ');
  return {
    ok: false,
    because: `${host}: ${said === '' ? 'it could not be sent' : said}`,
    isRefused: REFUSED.has(responseCode as number),
  };
}
