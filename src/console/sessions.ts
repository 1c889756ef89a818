/**
 * Sessions of the console. The browser holds 256 random bits in a cookie and the database their
 * hash; neither holds a secret. A session acts with the access key that it was opened with: what
 * the key may do is decided anew at every call, and a key that is deactivated, deleted or given
 * another secret ends the session at the next call.
 */
import { createHash, createHmac } from "node:crypto";
import { equalInConstantTime } from "../access/constant-time.ts";
import type { AccessKey, AccessKeys } from "../access/credentials.ts";
import { deriveKey } from "../access/installation-key.ts";
import type { MetadataStore } from "../metadata/metadata-store.ts";
import {
  type ConsoleSessionRow,
  deleteConsoleSession,
  deleteConsoleSessionsOfIdentity,
  deleteSurplusConsoleSessions,
  insertConsoleSession,
  selectConsoleSession,
  updateConsoleSessionExpiry,
  updateConsoleSessionRole,
} from "../metadata/queries/console-sessions.ts";
import type { Clock, Random } from "../runtime/clock.ts";

export interface ConsoleSession {
  /** Hash of the cookie's value. */
  readonly id: string;
  /** What it acts with: the role's credentials while a role is assumed. */
  readonly key: AccessKey;
  /** Whoever signed in, without the role. */
  readonly signedIn: AccessKey;
  /** Milliseconds since the epoch, as all times here. */
  readonly expiresAt: number;
  readonly renewableUntil: number;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface ConsoleSessions {
  /** @returns undefined for credentials that are wrong, unknown, inactive or expired */
  open(credentials: Credentials): Promise<{ session: ConsoleSession; cookie: string } | undefined>;
  /** @param cookie as the browser sent it */
  find(cookie: string): Promise<ConsoleSession | undefined>;
  /** Lengthens it, within its limit. @returns its new end */
  renew(session: ConsoleSession): Promise<number>;
  /** Acts with the role's credentials from now on, or with its own again. */
  setRole(
    session: ConsoleSession,
    role: { accessKeyId: string; sessionToken: string } | undefined,
  ): Promise<void>;
  close(session: ConsoleSession): Promise<void>;
  /** Ends all sessions of whoever signed in. @returns how many there were */
  closeAll(session: ConsoleSession): Promise<number>;
}

export interface ConsoleSessionsOptions {
  readonly metadata: MetadataStore;
  readonly keys: AccessKeys;
  readonly installationKey: Uint8Array;
  readonly region: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Without renewal; the page renews while somebody uses it. */
export const sessionMilliseconds = 30 * 60_000;
/** With renewal: then one signs in anew. */
export const sessionMillisecondsLimit = 12 * 3600_000;
const sessionsPerIdentityLimit = 50;
const cookieBytes = 32;
const cookiePattern = /^[A-Za-z0-9_-]{43}$/;

export function consoleSessions(options: ConsoleSessionsOptions): ConsoleSessions {
  const { metadata, keys, clock, random } = options;
  const proofKey = deriveKey(options.installationKey, `console sessions of ${options.region}`);
  const proofOf = (id: string, secret: string) =>
    createHmac("sha256", proofKey).update(`${id}\0${secret}`).digest("base64url");
  const hashOf = (cookie: string) => createHash("sha256").update(cookie).digest("base64url");
  const isLive = ({ expiresAt = Number.POSITIVE_INFINITY }: AccessKey) => clock.now() < expiresAt;

  async function sessionOf(row: ConsoleSessionRow): Promise<ConsoleSession | undefined> {
    if (clock.now() >= row.expires_at) return undefined;
    const signedIn = await keys.find(row.access_key_id, row.session_token ?? undefined);
    if (signedIn === undefined || !isLive(signedIn)) return undefined;
    const proof = proofOf(row.id, signedIn.secretAccessKey);
    if (!equalInConstantTime(proof, row.secret_proof)) return undefined;
    // Another user may have the name, or the key another user.
    if (signedIn.principal.identityArn !== row.identity) return undefined;
    let key: AccessKey | undefined = signedIn;
    if (row.role_access_key_id !== null && row.role_session_token !== null) {
      key = await keys.find(row.role_access_key_id, row.role_session_token);
      // The role's time is over: whoever signed in is still there.
      if (key === undefined || !isLive(key)) key = signedIn;
    }
    return {
      id: row.id,
      key,
      signedIn,
      expiresAt: row.expires_at,
      renewableUntil: row.renewable_until,
    };
  }

  return {
    async open({ accessKeyId, secretAccessKey, sessionToken }) {
      const key = await keys.find(accessKeyId, sessionToken);
      // Compared also when there is no such key, so that both take the same time.
      const isRight = equalInConstantTime(
        hashOf(key?.secretAccessKey ?? ""),
        hashOf(secretAccessKey),
      );
      if (key === undefined || !isRight || !isLive(key)) return undefined;
      keys.used?.(key, "console");
      const now = clock.now();
      const end = Math.min(
        now + sessionMillisecondsLimit,
        key.expiresAt ?? Number.MAX_SAFE_INTEGER,
      );
      const cookie = Buffer.from(random.bytes(cookieBytes)).toString("base64url");
      const id = hashOf(cookie);
      const { identityArn: identity, account } = key.principal;
      const row: ConsoleSessionRow = {
        id,
        account,
        identity,
        access_key_id: key.id,
        session_token: sessionToken ?? null,
        secret_proof: proofOf(id, secretAccessKey),
        role_access_key_id: null,
        role_session_token: null,
        created_at: now,
        expires_at: Math.min(now + sessionMilliseconds, end),
        renewable_until: end,
      };
      await metadata.transaction(async (tx) => {
        await insertConsoleSession(tx, row);
        await deleteSurplusConsoleSessions(tx, { now, identity, kept: sessionsPerIdentityLimit });
      });
      const session = await sessionOf(row);
      return session && { session, cookie };
    },

    async find(cookie) {
      if (!cookiePattern.test(cookie)) return undefined;
      const row = await selectConsoleSession(metadata.read, hashOf(cookie));
      return row && sessionOf(row);
    },

    async renew({ id, renewableUntil }) {
      const expiresAt = Math.min(clock.now() + sessionMilliseconds, renewableUntil);
      await metadata.transaction((tx) => updateConsoleSessionExpiry(tx, id, expiresAt));
      return expiresAt;
    },

    async setRole({ id }, role) {
      await metadata.transaction((tx) => updateConsoleSessionRole(tx, id, role));
    },

    async close({ id }) {
      await metadata.transaction((tx) => deleteConsoleSession(tx, id));
    },

    closeAll({ signedIn }) {
      return metadata.transaction((tx) =>
        deleteConsoleSessionsOfIdentity(tx, signedIn.principal.identityArn),
      );
    },
  };
}
