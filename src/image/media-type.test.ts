import { expect, test } from "bun:test";
import {
  isIndexType,
  isManifestType,
  isNonDistributableType,
  isSchema1Type,
  mediaTypes,
  mediaTypeWithoutParameters,
} from "./media-type.ts";

test.each([
  ["application/json", "application/json"],
  ["application/json; charset=utf-8", "application/json"],
  [" application/json ;charset=utf-8; x=y", "application/json"],
  [";", ""],
  ["", ""],
])("the type of %p without parameters is %p", (header, expected) => {
  expect(mediaTypeWithoutParameters(header)).toBe(expected);
});

test("an index is a manifest, schema 1 is none", () => {
  for (const type of [mediaTypes.ociIndex, mediaTypes.dockerList]) {
    expect([isIndexType(type), isManifestType(type)]).toEqual([true, true]);
  }
  for (const type of [mediaTypes.ociManifest, mediaTypes.dockerManifest, mediaTypes.ociArtifact]) {
    expect([isIndexType(type), isManifestType(type)]).toEqual([false, true]);
  }
  for (const type of [mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed]) {
    expect([isSchema1Type(type), isManifestType(type)]).toEqual([true, false]);
  }
});

test.each([
  ["application/vnd.oci.image.layer.nondistributable.v1.tar", true],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", true],
  ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true],
  ["application/vnd.oci.image.layer.v1.tar+gzip", false],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", false],
])("%s is fetched from elsewhere: %p", (type, expected) => {
  expect(isNonDistributableType(type)).toBe(expected);
});
