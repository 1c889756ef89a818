/** Credentials of a role, renewed before they end, for all who ask on this machine. */
import type { Clock } from "../runtime/clock.ts";

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Asks for new ones. */
export type AssumeRole = () => Promise<RoleCredentials>;

export interface CredentialsSource {
  current(): Promise<RoleCredentials>;
}

/** SDKs renew five minutes before the end: by then there must be newer ones. */
const renewalMilliseconds = 15 * 60_000;

export function renewedCredentials(
  assume: AssumeRole,
  clock: Pick<Clock, "now">,
): CredentialsSource {
  let held: RoleCredentials | undefined;
  let asking: Promise<RoleCredentials> | undefined;

  function ask(): Promise<RoleCredentials> {
    asking ??= assume()
      .then((credentials) => {
        held = credentials;
        return credentials;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  return {
    async current() {
      const now = clock.now();
      if (held === undefined || held.expiresAt <= now) return ask();
      if (held.expiresAt - now > renewalMilliseconds) return held;
      // While they are good, an outage of whoever gives new ones is not felt.
      const present = held;
      return ask().catch(() => present);
    },
  };
}
