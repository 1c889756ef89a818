import { describe, expect, test } from "bun:test";
import { RegistryError } from "../registry/errors.ts";
import { BodyCutOffError, BodyStalledError } from "./body.ts";
import {
  asProtocolError,
  ociErrorResponse,
  ProtocolError,
  protocolErrorResponse,
  uploadRange,
} from "./errors.ts";

describe("an error response", () => {
  test("has the specification's form and its length", async () => {
    const error = new ProtocolError("denied", "ä", { "X-Y": "z" });
    const response = protocolErrorResponse(error);
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({ errors: [{ code: "DENIED", message: "ä" }] });
    expect(response.status).toBe(403);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(text)),
      "x-y": "z",
    });
  });

  test("has a detail when there is one", async () => {
    const response = ociErrorResponse(new RegistryError("blob_unknown", { digest: "sha256:0" }));
    expect(await response.json()).toMatchObject({ errors: [{ detail: { digest: "sha256:0" } }] });
  });

  test("of a body that stalled ends the connection, of one that was cut off has nobody to read it", () => {
    const stalled = asProtocolError(new BodyStalledError("x"));
    expect(stalled?.headers).toEqual({ Connection: "close" });
    expect(asProtocolError(new BodyCutOffError("x"))?.error).toBe("body_cut_off");
    expect(asProtocolError(new Error("a fault"))).toBeUndefined();
  });

  test("lists missing content one by one, and not without end", async () => {
    const answer = async (count: number) => {
      const digests = Array.from({ length: count }, (_, i) => `sha256:${i}`);
      const response = ociErrorResponse(
        new RegistryError("manifest_references_unknown", { digests }),
      );
      return (await response.json()) as { errors: { message: string; detail: unknown }[] };
    };
    expect((await answer(2)).errors.map(({ detail }) => detail)).toEqual([
      { digest: "sha256:0" },
      { digest: "sha256:1" },
    ]);
    const { errors } = await answer(16_384);
    expect(errors).toHaveLength(100);
    expect(errors[0]?.message).toContain("16384 missing");
  });

  test("tells a client that lost its place where to go on", () => {
    const response = ociErrorResponse(
      new RegistryError("upload_range_invalid", {
        uploadId: "u",
        repository: "a/b",
        heldBytes: 10,
      }),
    );
    expect(response.status).toBe(416);
    expect(response.headers.get("location")).toBe("/v2/a/b/blobs/uploads/u");
    expect(response.headers.get("range")).toBe("0-9");
    expect(response.headers.get("docker-upload-uuid")).toBe("u");
  });

  test.each([
    ["n", "PAGINATION_NUMBER_INVALID"],
    ["Content-Range", "BLOB_UPLOAD_INVALID"],
    ["last", "UNSUPPORTED"],
    ["toString", "UNSUPPORTED"],
  ])("a wrong %s is %s", async (parameter, code) => {
    const response = ociErrorResponse(
      new RegistryError("parameter_invalid", { parameter, reason: "r" }),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ code }] });
  });
});

test.each([
  [0, "0-0"],
  [1, "0-0"],
  [2, "0-1"],
  [1024 ** 4, "0-1099511627775"],
])("%d bytes held are %s", (heldBytes, expected) => {
  expect(uploadRange(heldBytes)).toBe(expected);
});
