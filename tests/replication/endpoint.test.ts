/** The destination's HTTP side, as somebody hostile sees it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Digest, digestOf } from "../../src/image/digest.ts";
import { formatHybridTimestamp } from "../../src/registry/hybrid-clock.ts";
import { encodeOffer, type Offer } from "../../src/replication/offer.ts";
import { regionTokens } from "../../src/replication/region-token.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { generateRegionKey } from "../support/region-key.ts";
import { type Fleet, startFleet, type TestRegion } from "../support/regions.ts";
import { pull } from "../support/replicated.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

let fleet: Fleet;
let region: TestRegion;
let authorization: string;

beforeAll(async () => {
  fleet = await startFleet(["us-east-1", "eu-west-1"]);
  region = fleet.region("eu-west-1");
  const { key } = fleet.region("us-east-1");
  authorization = await regionTokens("us-east-1", key, systemClock).authorization("eu-west-1");
});
afterAll(() => fleet[Symbol.asyncDispose]());

async function send(
  method: string,
  path: string,
  body: BodyInit | null = null,
  headers: Record<string, string> = { authorization },
): Promise<{ status: number; answer: { code?: string; text?: string; [field: string]: unknown } }> {
  const response = await fetch(`${region.endpoint}/replication${path}`, { method, body, headers });
  return { status: response.status, answer: (await response.json()) as never };
}

const encode = (text: string) => new TextEncoder().encode(text);
const config = encode("{}");
const layer = noise("layer", 3000);
const manifest = encode(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/json", digest: digestOf(config), size: 2 },
    layers: [{ mediaType: "application/x-layer", digest: digestOf(layer), size: 3000 }],
  }),
);

function offerOf(changes: Partial<Offer> = {}): Offer {
  const digest = digestOf(manifest);
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  return {
    sourceAccount: testAccount,
    account: testAccount,
    repository: "hostile",
    digest,
    tag: {
      name: "1",
      clock: formatHybridTimestamp(systemClock.now(), 0),
      origin: "us-east-1",
    },
    manifests: [{ digest, mediaType, origin: "us-east-1", bytes: manifest }],
    blobs: [
      { digest: digestOf(config), size: 2 },
      { digest: digestOf(layer), size: 3000 },
    ],
    absent: [],
    inline: new Map(),
    ...changes,
  };
}

const offer = (changes: Partial<Offer> = {}) =>
  send("POST", "/v1/offers", encodeOffer(offerOf(changes)));

describe("who may talk to it", () => {
  const tokens: [string, number, () => Promise<string | undefined>][] = [
    ["nobody without a token", 401, async () => undefined],
    ["no client of the registry", 401, async () => `Basic ${btoa("AWS:secret")}`],
    [
      "no region that the chart does not have",
      403,
      () => regionTokens("mars-1", generateRegionKey(), systemClock).authorization("eu-west-1"),
    ],
    [
      "no region that cannot prove its name",
      401,
      () => regionTokens("us-east-1", generateRegionKey(), systemClock).authorization("eu-west-1"),
    ],
    [
      "no token for another region",
      403,
      () =>
        regionTokens("us-east-1", fleet.region("us-east-1").key, systemClock).authorization(
          "us-east-1",
        ),
    ],
    [
      "no token of yesterday",
      401,
      () => {
        const yesterday = { now: () => systemClock.now() - 86_400_000 };
        return regionTokens("us-east-1", fleet.region("us-east-1").key, yesterday).authorization(
          "eu-west-1",
        );
      },
    ],
  ];
  for (const [who, status, token] of tokens) {
    test(who, async () => {
      const value = await token();
      const headers: Record<string, string> = value === undefined ? {} : { authorization: value };
      const digest = digestOf(layer);
      for (const [method, path, body] of [
        ["POST", "/v1/offers", encodeOffer(offerOf())],
        ["PUT", `/v1/blobs/${digest}?offset=0&size=3000`, new Blob([layer])],
      ] as const) {
        const refused = await send(method, path, body, headers);
        expect(refused).toMatchObject({ status, answer: { code: "destination_unauthorized" } });
        expect(JSON.stringify(refused.answer)).not.toContain("ey");
      }
      expect(await region.blobs.stat(digest)).toBeUndefined();
    });
  }
});

describe("what it refuses", () => {
  test("other versions of the protocol, and paths that do not exist", async () => {
    for (const [method, path] of [
      ["POST", "/v2/offers"],
      ["POST", "/"],
      ["GET", "/v1/offers"],
      ["POST", "/v1/offers/more"],
      ["DELETE", `/v1/blobs/${digestOf(layer)}`],
    ] as const) {
      expect(await send(method, path)).toMatchObject({
        status: 400,
        answer: { code: "protocol_unsupported" },
      });
    }
  });

  test("offers that are none", async () => {
    for (const body of [
      "",
      "xx",
      "\0\0\0\x02{}",
      '\0\0\0\x0f{"account":"1"}',
      "\xff\xff\xff\xff",
    ]) {
      expect(await send("POST", "/v1/offers", Buffer.from(body, "latin1"))).toMatchObject({
        status: 400,
        answer: { code: "offer_invalid" },
      });
    }
  });

  test("names that would lead elsewhere", async () => {
    for (const repository of ["../secrets", "UPPER", "a//b", "", "a".repeat(300)]) {
      expect((await offer({ repository })).answer.code).toBe("offer_invalid");
    }
    const clock = formatHybridTimestamp(systemClock.now(), 0);
    for (const name of ["../x", "", "a b", "a".repeat(129)]) {
      const tag = { name, clock, origin: "us-east-1" };
      expect((await offer({ tag })).answer.code).toBe("offer_invalid");
    }
  });

  test("a version in another region's name, and one of the far future", async () => {
    const clock = formatHybridTimestamp(systemClock.now(), 0);
    const foreign = await offer({ tag: { name: "1", clock, origin: "eu-west-1" } });
    expect(foreign).toMatchObject({ status: 400, answer: { code: "offer_invalid" } });
    const late = formatHybridTimestamp(systemClock.now() + 3_600_000, 0);
    const future = await offer({ tag: { name: "1", clock: late, origin: "us-east-1" } });
    expect(future).toMatchObject({ status: 409, answer: { code: "clock_skew" } });
  });

  test("an account that is not here", async () => {
    // Of one's own; another's would have to allow it first.
    const account = "999999999999";
    expect(await offer({ account, sourceAccount: account })).toMatchObject({
      status: 404,
      answer: { code: "account_unknown" },
    });
    expect(await offer({ account })).toMatchObject({
      status: 403,
      answer: { code: "destination_forbidden" },
    });
  });

  test("manifests and blobs whose bytes are others", async () => {
    const [own] = offerOf().manifests;
    if (own === undefined) throw new Error("the offer has no manifest");
    const wrong = { ...own, bytes: encode("{}") };
    expect((await offer({ manifests: [wrong] })).answer.code).toBe("digest_mismatch");
    const inline = new Map([[digestOf(layer), noise("other", 3000)]]);
    expect((await offer({ inline })).answer.code).toBe("digest_mismatch");
    const digest = digestOf(layer);
    expect(
      await send("PUT", `/v1/blobs/${digest}?offset=0&size=3000`, noise("other", 3000)),
    ).toMatchObject({ status: 422, answer: { code: "digest_mismatch" } });
    expect(await region.blobs.stat(digest)).toBeUndefined();
  });

  test("manifests that are not valid although their bytes are right", async () => {
    const bytes = encode('{"schemaVersion":2,"config":{"digest":"../../etc"}}');
    const digest = digestOf(bytes);
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifests = [{ digest, mediaType, origin: "us-east-1", bytes }];
    expect(await offer({ digest, manifests })).toMatchObject({
      status: 422,
      answer: { code: "image_invalid" },
    });
  });

  test("an image of which it is not told everything", async () => {
    const blobs = [{ digest: digestOf(config), size: 2 }];
    for (const absent of [[], [digestOf(layer)]]) {
      expect((await offer({ blobs, absent })).answer).toMatchObject({ code: "offer_invalid" });
    }
    const other = digestOf(encode("other")) as Digest;
    expect((await offer({ digest: other })).answer.code).toBe("offer_invalid");
  });

  test("blobs that lie about themselves", async () => {
    const put = (path: string, body: BodyInit = new Blob([layer])) =>
      send("PUT", `/v1/blobs/${path}`, body);
    const digest = digestOf(layer);
    for (const path of [
      "sha256:abc?offset=0&size=3000",
      "..%2F..%2Fetc?offset=0&size=3000",
      "%?offset=0&size=3000",
      `${digest}?offset=0`,
      `${digest}?offset=-1&size=3000`,
      `${digest}?offset=3001&size=3000`,
      `${digest}?offset=0&size=1e9`,
      `${digest}?offset=0&size=99999999999999999`,
      `${digest}?offset=0&size=10`,
    ]) {
      expect((await put(path)).answer.code).toBe("offer_invalid");
    }
    expect((await put(`${digest}?offset=0&size=${2 ** 50}`)).answer.code).toBe("image_invalid");
    // A position that is not where the bytes end is no error: it is how a sender finds it.
    expect((await put(`${digest}?offset=5&size=3000`)).answer).toEqual({
      outcome: "offset",
      held: 0,
    });
  });

  test("and none of all that has left a trace", async () => {
    expect(await pull(region, "hostile", "1")).toBeUndefined();
    const rows = await region.metadata.read.all("select * from repositories");
    expect(rows).toEqual([]);
  });
});

describe("what it does", () => {
  test("says what is missing, takes it in parts, applies the same offer, and bears repetition", async () => {
    const digest = digestOf(layer);
    const missing = [
      { digest: digestOf(config), offset: 0, busy: false },
      { digest, offset: 0, busy: false },
    ].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    const inline = new Map([[digestOf(config), config]]);
    const same = offerOf();
    const tell = (changes: Partial<Offer> = {}) =>
      send("POST", "/v1/offers", encodeOffer({ ...same, ...changes }));
    expect((await tell()).answer).toEqual({ outcome: "missing", blobs: missing });
    const part = (offset: number, end: number) =>
      send("PUT", `/v1/blobs/${digest}?offset=${offset}&size=3000`, layer.slice(offset, end));
    expect((await part(0, 1000)).answer).toEqual({ outcome: "held", held: 1000 });
    expect((await tell({ inline })).answer).toEqual({
      outcome: "missing",
      blobs: [{ digest, offset: 1000, busy: false }],
    });
    expect((await part(1000, 3000)).answer).toEqual({ outcome: "held", held: 3000 });
    expect((await tell({ inline })).answer).toEqual({ outcome: "applied", tag: "set" });
    expect((await tell()).answer).toEqual({ outcome: "applied", tag: "unchanged" });
    const older = { name: "1", clock: formatHybridTimestamp(5, 0), origin: "us-east-1" };
    expect((await tell({ tag: older })).answer).toEqual({ outcome: "applied", tag: "kept" });
    expect((await tell({ tag: undefined })).answer).toEqual({ outcome: "applied", tag: "none" });
    expect((await pull(region, "hostile", "1"))?.digest).toBe(same.digest);
  });

  test("leaves no upload behind, and shows clients none of its own", async () => {
    expect(await region.metadata.read.all("select * from uploads")).toEqual([]);
    await pushImage(region.context, { repository: "own", tags: ["1"], layers: [layer] });
    expect(await pull(region, "own", "1")).toBeDefined();
  });
});
