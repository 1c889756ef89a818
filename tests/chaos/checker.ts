/** Compares a registry with the ledger. Every difference is a sentence. */
import { type Digest, digestAlgorithm, digestOf } from "../../src/image/digest.ts";
import type { Ledger, LedgerManifest } from "./ledger.ts";

export interface CheckerOptions {
  readonly endpoint: string;
  readonly authorization: string;
  readonly ledger: Ledger;
  /** Blobs that no manifest refers to may be collected when they are older than this. */
  readonly graceMilliseconds: number;
}

/** @param everything false looks at the newest 40 manifests and blobs only, and at every tag */
export async function check(options: CheckerOptions, everything: boolean): Promise<string[]> {
  const { ledger } = options;
  const problems: string[] = [];
  const newest = <T>(values: Iterable<T>) => (everything ? [...values] : [...values].slice(-40));
  const referenced = new Set<string>();
  for (const manifest of newest(ledger.manifests.values())) {
    problems.push(...(await checkManifest(options, manifest)));
    for (const { digest } of manifest.blobs) referenced.add(digest);
  }
  for (const { digest, at } of newest(ledger.blobs.values())) {
    const mustBeThere = referenced.has(digest) || Date.now() - at < options.graceMilliseconds / 2;
    if (everything || mustBeThere) {
      problems.push(...(await checkBlob(options, digest, mustBeThere)));
    }
  }
  for (const [tag, possible] of ledger.tags) {
    const found = await resolve(options, tag);
    if (typeof found === "string") problems.push(`${tag}: ${found}`);
    else if (!possible.has(found?.digest)) {
      const expected = [...possible].map((digest) => digest ?? "nothing").join(" or ");
      problems.push(`${tag} is ${found?.digest ?? "nothing"}; expected ${expected}`);
    } else if (found !== undefined) {
      // Whether it was acknowledged or not: what can be seen is there whole.
      problems.push(...(await checkManifest(options, found)));
    }
  }
  return problems;
}

async function get({ endpoint, authorization, ledger }: CheckerOptions, path: string) {
  const response = await fetch(`${endpoint}/v2/${ledger.repository}/${path}`, {
    headers: { authorization },
  });
  return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function resolve(
  options: CheckerOptions,
  tag: string,
): Promise<LedgerManifest | undefined | string> {
  const { status, bytes } = await get(options, `manifests/${tag}`);
  if (status === 404) return undefined;
  if (status !== 200) return `answered ${status}`;
  return options.ledger.sent.get(digestOf(bytes)) ?? "is a manifest that nobody has sent";
}

async function checkManifest(options: CheckerOptions, manifest: LedgerManifest): Promise<string[]> {
  const { digest } = manifest;
  const { status, bytes } = await get(options, `manifests/${digest}`);
  if (status !== 200) return [`manifest ${digest} was acknowledged and answered ${status}`];
  const problems = Buffer.from(bytes).equals(manifest.bytes) ? [] : [`${digest} has other bytes`];
  for (const blob of manifest.blobs)
    problems.push(...(await checkBlob(options, blob.digest, true)));
  return problems;
}

async function checkBlob(
  options: CheckerOptions,
  digest: string,
  mustBeThere: boolean,
): Promise<string[]> {
  const { status, bytes } = await get(options, `blobs/${digest}`);
  if (status === 404 && !mustBeThere) return [];
  if (status !== 200) return [`blob ${digest} was acknowledged and answered ${status}`];
  const actual = digestOf(bytes, digestAlgorithm(digest as Digest));
  return actual === digest ? [] : [`blob ${digest} has the bytes of ${actual}`];
}
