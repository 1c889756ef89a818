/**
 * Uploads of blobs to a registry: POST, PATCH, PUT. A session that a broken line interrupted is gone
 * on with where the registry holds it; one that it has dropped begins anew.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
 */
import type { Digest } from "../../image/digest.ts";
import { keyedMutex } from "../../registry/keyed-mutex.ts";
import { ReplicationFailure } from "../failure.ts";
import type { BlobAnswer, BlobPart } from "../offer.ts";
import type { RegistryCredentials } from "./registry.ts";
import type { RegistryAnswer, RegistryClient } from "./registry-client.ts";
import { errorOf, registryFailure } from "./registry-failure.ts";

interface UploadSession {
  /** Where the next request goes. */
  url: URL;
  /** Bytes that the registry has. */
  held: number;
  /** A request broke off: what is held has to be asked for. */
  uncertain: boolean;
}

export interface BlobUploads {
  /** Whether the repository has the blob, be it by mounting it from another one. */
  find(repository: string, digest: Digest, size: number, signal: AbortSignal): Promise<boolean>;
  /** Where an upload would go on. */
  held(repository: string, digest: Digest, size: number, signal: AbortSignal): Promise<number>;
  /** @throws ReplicationFailure */
  send(
    repository: string,
    part: Omit<BlobPart, "account" | "repository">,
    signal: AbortSignal,
    onSent: (bytes: number) => void,
  ): Promise<BlobAnswer>;
}

/** A smaller blob is sent in one request: nothing worth keeping is lost with it. */
const atOnceBytes = 1024 * 1024;
const refusals: ReadonlySet<string> = new Set(["repository_denied", "destination_unauthorized"]);
const sessionsLimit = 10_000;
const knownPlacesLimit = 50_000;
/** A registry reads the whole blob, and may move it, before it answers the last request. */
const verificationBytesPerMillisecond = 5000;

export function blobUploads(
  client: RegistryClient,
  createRepository: RegistryCredentials["createRepository"],
): BlobUploads {
  const { name } = client;
  const sessions = new Map<string, UploadSession>();
  /** A repository of the registry that has the blob. */
  const places = new Map<Digest, string>();
  /** One request at a time works on an upload. */
  const turns = keyedMutex();
  const sending = new Map<string, number>();
  const keyOf = (repository: string, digest: Digest) => `${repository} ${digest}`;

  function remember<K, T>(map: Map<K, T>, key: K, value: T, limit: number): void {
    map.delete(key);
    map.set(key, value);
    for (const oldest of map.keys()) {
      if (map.size <= limit) return;
      map.delete(oldest);
    }
  }

  async function find(
    repository: string,
    digest: Digest,
    size: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const answer = await client.request({
      method: "HEAD",
      target: `/v2/${repository}/blobs/${digest}`,
      repositories: [repository],
      signal,
    });
    if (answer.status === 200) {
      const length = answer.headers.get("content-length");
      if (length !== null && length !== String(size)) {
        throw new ReplicationFailure(
          "destination_error",
          `${name} holds ${length} bytes as ${digest}, which has ${size}`,
        );
      }
      remember(places, digest, repository, knownPlacesLimit);
      return true;
    }
    if (answer.status !== 404) throw registryFailure(name, `a look at ${digest}`, answer);
    const place = places.get(digest);
    if (place === undefined || place === repository) return false;
    return mount(repository, digest, place, signal);
  }

  /** What cannot be mounted is uploaded: no refusal matters. */
  async function mount(
    repository: string,
    digest: Digest,
    from: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (sessions.has(keyOf(repository, digest))) return false;
    const query = new URLSearchParams({ mount: digest, from });
    const answer = await client
      .request({
        method: "POST",
        target: `/v2/${repository}/blobs/uploads/?${query}`,
        repositories: [repository, from],
        headers: { "content-length": "0" },
        signal,
      })
      .catch((error: unknown) => {
        // Also a token service may refuse what a mount needs, and no more than that.
        if (error instanceof ReplicationFailure && refusals.has(error.code)) return;
        throw error;
      });
    if (answer?.status === 201) {
      remember(places, digest, repository, knownPlacesLimit);
      return true;
    }
    if (answer?.status === 202) keep(repository, digest, sessionOf(answer));
    else places.delete(digest);
    return false;
  }

  function keep(repository: string, digest: Digest, session: UploadSession): UploadSession {
    remember(sessions, keyOf(repository, digest), session, sessionsLimit);
    return session;
  }

  function sessionOf(answer: RegistryAnswer): UploadSession {
    return { url: locationOf(answer), held: 0, uncertain: false };
  }

  function locationOf(answer: RegistryAnswer): URL {
    const location = answer.headers.get("location");
    if (location !== null && URL.canParse(location, answer.url.href)) {
      return new URL(location, answer.url);
    }
    throw new ReplicationFailure("protocol_unsupported", `${name} does not say where to upload to`);
  }

  async function begin(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<UploadSession> {
    const post = () =>
      client.request({
        method: "POST",
        target: `/v2/${repository}/blobs/uploads/`,
        repositories: [repository],
        headers: { "content-length": "0" },
        signal,
      });
    let answer = await post();
    if (answer.status === 404 && errorOf(answer).code === "NAME_UNKNOWN" && createRepository) {
      await createRepository(repository, signal);
      answer = await post();
    }
    if (answer.status === 202) return keep(repository, digest, sessionOf(answer));
    const what = `the begin of an upload to ${repository}`;
    const foreign = answer.status === 404 || answer.status === 405;
    throw registryFailure(
      name,
      what,
      answer,
      foreign ? "protocol_unsupported" : "destination_error",
    );
  }

  async function held(
    repository: string,
    digest: Digest,
    size: number,
    signal: AbortSignal,
  ): Promise<number> {
    const key = keyOf(repository, digest);
    // What is being sent is in good hands: whoever wants to send it too waits for that.
    if (sending.has(key)) return 0;
    return ask(repository, digest, size, signal);
  }

  async function ask(
    repository: string,
    digest: Digest,
    size: number,
    signal: AbortSignal,
  ): Promise<number> {
    const session = sessions.get(keyOf(repository, digest));
    if (session?.uncertain) {
      const answer = await client.request({
        method: "GET",
        target: session.url,
        repositories: [repository],
        signal,
      });
      const bytes = answer.status === 204 || answer.status === 200 ? rangeEnd(answer) : undefined;
      if (bytes === undefined || bytes > size) {
        sessions.delete(keyOf(repository, digest));
        return 0;
      }
      session.held = bytes;
      session.uncertain = false;
      if (answer.headers.has("location")) session.url = locationOf(answer);
    }
    return session?.held ?? 0;
  }

  async function send(
    repository: string,
    part: Omit<BlobPart, "account" | "repository">,
    signal: AbortSignal,
    onSent: (bytes: number) => void,
  ): Promise<BlobAnswer> {
    const { digest, size } = part;
    const key = keyOf(repository, digest);
    const others = sending.get(key) ?? 0;
    sending.set(key, others + 1);
    try {
      return await turns.runExclusively(key, async () => {
        signal.throwIfAborted();
        // It may have come since the offer looked: several images and tags need the same blob.
        const seen = others > 0 || places.get(digest) === repository;
        if (seen && (await find(repository, digest, size, signal))) {
          return { outcome: "held", held: size };
        }
        return await sendInTurn(repository, part, signal, onSent);
      });
    } finally {
      const rest = (sending.get(key) ?? 1) - 1;
      if (rest > 0) sending.set(key, rest);
      else sending.delete(key);
    }
  }

  async function sendInTurn(
    repository: string,
    { digest, size, offset, bytes }: Omit<BlobPart, "account" | "repository">,
    signal: AbortSignal,
    onSent: (bytes: number) => void,
  ): Promise<BlobAnswer> {
    const known = await ask(repository, digest, size, signal);
    if (known !== offset) return { outcome: "offset", held: known };
    const key = keyOf(repository, digest);
    const session = sessions.get(key) ?? (await begin(repository, digest, signal));
    const last = offset + bytes.size === size;
    // Whatever breaks off from here on leaves it open what has arrived.
    session.uncertain = true;
    const atOnce = last && offset === 0 && size <= atOnceBytes;
    if (!atOnce && bytes.size > 0) {
      const answer = await client.request({
        method: "PATCH",
        target: session.url,
        repositories: [repository],
        headers: {
          "content-type": "application/octet-stream",
          "content-range": `${offset}-${offset + bytes.size - 1}`,
        },
        bytes,
        signal,
        onSent,
      });
      if (answer.status < 200 || answer.status > 204) throw lost(key, digest, answer);
      session.held = Math.min(rangeEnd(answer) || offset + bytes.size, offset + bytes.size);
      session.url = locationOf(answer);
      session.uncertain = false;
      if (!last || session.held < size) return { outcome: "held", held: session.held };
      session.uncertain = true;
    }
    await finish(repository, digest, size, session, atOnce ? bytes : undefined, signal, onSent);
    return { outcome: "held", held: size };
  }

  async function finish(
    repository: string,
    digest: Digest,
    size: number,
    session: UploadSession,
    bytes: Blob | undefined,
    signal: AbortSignal,
    onSent: (bytes: number) => void,
  ): Promise<void> {
    const url = new URL(session.url);
    url.searchParams.set("digest", digest);
    const answer = await client.request({
      method: "PUT",
      target: url,
      repositories: [repository],
      headers: { "content-type": "application/octet-stream" },
      bytes: bytes ?? new Blob([]),
      extraMilliseconds: size / verificationBytesPerMillisecond,
      signal,
      onSent,
    });
    const key = keyOf(repository, digest);
    if (answer.status < 200 || answer.status > 204) throw lost(key, digest, answer);
    sessions.delete(key);
    const stored = answer.headers.get("docker-content-digest");
    if (stored !== null && stored !== digest) {
      throw new ReplicationFailure(
        "digest_mismatch",
        `${name} stored ${digest} under another digest`,
      );
    }
    remember(places, digest, repository, knownPlacesLimit);
  }

  /** A refusal ends a session, unless the registry only was not ready. */
  function lost(key: string, digest: Digest, answer: RegistryAnswer): ReplicationFailure {
    const mismatch = errorOf(answer).code === "DIGEST_INVALID";
    if (answer.status < 500) sessions.delete(key);
    return registryFailure(
      name,
      `bytes of ${digest}`,
      answer,
      mismatch ? "digest_mismatch" : "destination_error",
    );
  }

  return { find, held, send };
}

/**
 * What `Range: 0-<last byte>` says is held. `0-0` is what registries answer for nothing as well as for
 * one byte: nothing it is, and should that be wrong, the digest will tell.
 */
function rangeEnd({ headers }: RegistryAnswer): number | undefined {
  const match = /^(?:bytes=)?0-(\d{1,15})$/.exec(headers.get("range") ?? "");
  if (match === null) return undefined;
  return match[1] === "0" ? 0 : Number(match[1]) + 1;
}
