import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { digestOf } from "../image/digest.ts";
import { formatHybridTimestamp } from "../registry/hybrid-clock.ts";
import { decodeOffer, encodeOffer, type Offer, OfferSyntaxError } from "./offer.ts";

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => new Uint8Array(array));
const blob = bytes.map((content) => ({
  digest: digestOf(content),
  size: content.byteLength,
  content,
}));

const offer: fc.Arbitrary<Offer> = fc
  .record({
    manifests: fc.array(bytes, { minLength: 1, maxLength: 4 }),
    blobs: fc.uniqueArray(blob, { maxLength: 5, selector: ({ digest }) => digest }),
    inlined: fc.nat(5),
    tagged: fc.boolean(),
  })
  .map(({ manifests, blobs, inlined, tagged }) => ({
    sourceAccount: "444455556666",
    account: "111122223333",
    repository: "team/web",
    digest: digestOf(manifests[0] ?? new Uint8Array()),
    tag: tagged
      ? { name: "v1", clock: formatHybridTimestamp(5, 6), origin: "us-east-1" }
      : undefined,
    manifests: manifests.map((content) => ({
      digest: digestOf(content),
      mediaType: "application/json",
      origin: "us-east-1",
      bytes: content,
    })),
    blobs: blobs.map(({ digest, size }) => ({ digest, size })),
    absent: ["sha256:gone"],
    inline: new Map(blobs.slice(0, inlined).map(({ digest, content }) => [digest, content])),
  }));

const encoded = async (value: Offer) => new Uint8Array(await encodeOffer(value).arrayBuffer());

describe("an offer", () => {
  test("is read as it was written", async () => {
    await fc.assert(
      fc.asyncProperty(offer, async (value) => {
        expect(decodeOffer(await encoded(value))).toEqual(value);
      }),
    );
  });

  test("that was cut, lengthened or changed is refused, or is another well-formed offer", async () => {
    await fc.assert(
      fc.asyncProperty(
        offer,
        fc.nat(2000),
        fc.integer({ min: 1, max: 255 }),
        async (value, position, change) => {
          const whole = await encoded(value);
          const cut = whole.slice(0, position % whole.byteLength);
          expect(() => decodeOffer(cut)).toThrow(OfferSyntaxError);
          const longer = new Uint8Array([...whole, 0]);
          expect(() => decodeOffer(longer)).toThrow(OfferSyntaxError);
          const changed = whole.slice();
          changed[position % whole.byteLength] =
            (changed[position % whole.byteLength] ?? 0) ^ change;
          expectOfferOrSyntaxError(changed);
        },
      ),
    );
  });

  test("that is anything at all never fails in another way", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
        expectOfferOrSyntaxError(new Uint8Array(any));
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        const header = new TextEncoder().encode(json);
        const framed = new Uint8Array([0, 0, 0, 0, ...header]);
        new DataView(framed.buffer).setUint32(0, header.byteLength);
        expect(() => decodeOffer(framed)).toThrow(OfferSyntaxError);
      }),
    );
  });
});

function expectOfferOrSyntaxError(body: Uint8Array<ArrayBuffer>): void {
  try {
    decodeOffer(body);
  } catch (error) {
    expect(error).toBeInstanceOf(OfferSyntaxError);
  }
}
