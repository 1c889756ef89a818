/** The real SDK pushes, pulls, lists and deletes images and layers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import {
  type Descriptor,
  noise,
  pushImage,
  pushIndex,
} from "../../../../tests/support/push-image.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;
const absent = `sha256:${"0".repeat(64)}`;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

const push = (repository: string, tags: string[], seed: string, subject?: Descriptor) =>
  pushImage(endpoint.registry, {
    repository,
    tags,
    layers: [noise(seed, 100)],
    ...(subject && { subject }),
  });
const digestOf = (bytes: Uint8Array | string) =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

describe("layers", () => {
  const repositoryName = "layers";
  const bytes = noise("layer", 3000);
  const digest = digestOf(bytes);
  beforeAll(() => ecr.send(new sdk.CreateRepositoryCommand({ repositoryName })));
  const begin = async () =>
    (await ecr.send(new sdk.InitiateLayerUploadCommand({ repositoryName }))).uploadId ?? "";
  const part = (uploadId: string, first: number, end: number) =>
    ecr.send(
      new sdk.UploadLayerPartCommand({
        repositoryName,
        uploadId,
        partFirstByte: first,
        partLastByte: end - 1,
        layerPartBlob: bytes.subarray(first, end),
      }),
    );
  const complete = (uploadId: string, layerDigests = [digest]) =>
    ecr.send(new sdk.CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests }));

  test("are uploaded in parts, checked, and downloaded by a URL without credentials", async () => {
    const uploadId = await begin();
    expect(await refusal(complete(uploadId))).toMatchObject({ name: "EmptyUploadException" });
    expect((await part(uploadId, 0, 1000)).lastByteReceived).toBe(999);
    const gap = await part(uploadId, 2000, 3000).catch((error: unknown) => error);
    expect(gap).toBeInstanceOf(sdk.InvalidLayerPartException);
    expect(gap).toMatchObject({ lastValidByteReceived: 999, uploadId, repositoryName });
    await part(uploadId, 1000, 3000);
    expect((await complete(uploadId)).layerDigest).toBe(digest);
    const check = new sdk.BatchCheckLayerAvailabilityCommand({
      repositoryName,
      layerDigests: [digest, absent, "x"],
    });
    expect(await ecr.send(check)).toMatchObject({
      layers: [
        { layerDigest: digest, layerAvailability: "AVAILABLE", layerSize: 3000 },
        { layerDigest: absent, layerAvailability: "UNAVAILABLE" },
      ],
      failures: [{ layerDigest: "x", failureCode: "InvalidLayerDigest" }],
    });
    const url = new sdk.GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: digest });
    expect(await refusal(ecr.send(url))).toMatchObject({ name: "LayerInaccessibleException" });
    await pushImage(endpoint.registry, {
      repository: repositoryName,
      tags: ["1"],
      layers: [bytes],
    });
    const { downloadUrl = "" } = await ecr.send(url);
    const response = await fetch(downloadUrl);
    expect(digestOf(await response.bytes())).toBe(digest);
    const at = downloadUrl.length - 60;
    const forged = `${downloadUrl.slice(0, at)}${downloadUrl[at] === "A" ? "B" : "A"}${downloadUrl.slice(at + 1)}`;
    expect((await fetch(forged)).status).toBe(403);
    expect((await fetch(downloadUrl, { method: "POST" })).status).toBe(405);
  });

  test("are refused when they are there, have another digest, or no upload", async () => {
    const uploadId = await begin();
    await part(uploadId, 0, 3000);
    expect((await refusal(complete(uploadId))).name).toBe("LayerAlreadyExistsException");
    expect((await refusal(complete(uploadId))).name).toBe("UploadNotFoundException");
    const other = await begin();
    await part(other, 0, 1000);
    expect((await refusal(complete(other, [absent]))).name).toBe("InvalidLayerException");
    expect((await refusal(complete(other, ["x"]))).name).toBe("InvalidParameterException");
    const layerDigest = absent;
    expect(
      (
        await refusal(
          ecr.send(new sdk.GetDownloadUrlForLayerCommand({ repositoryName, layerDigest })),
        )
      ).name,
    ).toBe("LayersNotFoundException");
    expect(
      (await refusal(ecr.send(new sdk.InitiateLayerUploadCommand({ repositoryName: "no/such" }))))
        .name,
    ).toBe("RepositoryNotFoundException");
  });
});

describe("PutImage", () => {
  const repositoryName = "put";
  test("stores a manifest, and tells each refusal apart", async () => {
    const image = await push(repositoryName, ["1"], "put");
    const { images } = await ecr.send(
      new sdk.BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "1" }] }),
    );
    const imageManifest = images?.[0]?.imageManifest ?? "";
    expect(digestOf(imageManifest)).toBe(image.digest);
    const put = (input: Partial<sdk.PutImageRequest>) =>
      ecr.send(new sdk.PutImageCommand({ repositoryName, imageManifest, ...input }));
    expect(await put({ imageTag: "2" })).toMatchObject({
      image: {
        registryId: "111122223333",
        repositoryName,
        imageId: { imageDigest: image.digest, imageTag: "2" },
        imageManifest,
        imageManifestMediaType: image.mediaType,
      },
    });
    expect(await refusal(put({ imageTag: "2" }))).toEqual({
      name: "ImageAlreadyExistsException",
      message: `Image with digest '${image.digest}' and tag '2' already exists in the repository with name 'put' in registry with id '111122223333'`,
    });
    const name = async (input: Partial<sdk.PutImageRequest>) => (await refusal(put(input))).name;
    expect(await name({ imageTag: "3", imageDigest: absent })).toBe(
      "ImageDigestDoesNotMatchException",
    );
    expect(await name({ imageTag: "a b" })).toBe("InvalidParameterException");
    expect(await name({ imageManifest: "{" })).toBe("InvalidParameterException");
    expect(await name({ repositoryName: "no/such" })).toBe("RepositoryNotFoundException");
    const manifest: Record<string, unknown> = JSON.parse(imageManifest);
    const missing = { mediaType: "application/x", digest: absent, size: 1 };
    expect(await name({ imageManifest: JSON.stringify({ ...manifest, layers: [missing] }) })).toBe(
      "LayersNotFoundException",
    );
    const index = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ ...missing, mediaType: image.mediaType }],
    };
    expect(await name({ imageManifest: JSON.stringify(index) })).toBe(
      "ReferencedImagesNotFoundException",
    );
    await push(repositoryName, ["other"], "another");
    await ecr.send(
      new sdk.PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: "IMMUTABLE" }),
    );
    expect(await refusal(put({ imageTag: "other" }))).toEqual({
      name: "ImageTagAlreadyExistsException",
      message:
        "The image tag 'other' already exists in the 'put' repository and cannot be overwritten because the repository is immutable.",
    });
  });
});

describe("lists", () => {
  const repositoryName = "lists";
  let images: Descriptor[] = [];
  let index: Descriptor;
  beforeAll(async () => {
    images = await Promise.all([
      push(repositoryName, ["a", "b"], "one"),
      push(repositoryName, [], "two"),
      push(repositoryName, ["c"], "three"),
    ]);
    index = await pushIndex(endpoint.registry, repositoryName, ["multi"], images);
  });

  test("ListImages pages over tags and untagged images, filtered by them", async () => {
    const list = async (filter?: sdk.ListImagesFilter) => {
      const pages = sdk.paginateListImages(
        { client: ecr, pageSize: 2 },
        { repositoryName, ...(filter && { filter }) },
      );
      const ids: string[] = [];
      for await (const page of pages) {
        expect(page.imageIds?.length).toBeLessThanOrEqual(2);
        for (const { imageDigest, imageTag } of page.imageIds ?? []) {
          ids.push(`${imageDigest} ${imageTag ?? ""}`);
        }
      }
      return ids;
    };
    const [one, two, three] = images.map(({ digest }) => digest);
    const tagged = [`${one} a`, `${one} b`, `${three} c`, `${index.digest} multi`];
    expect(await list()).toEqual([...tagged, `${two} `].sort());
    expect(await list({ tagStatus: "TAGGED" })).toEqual(tagged.sort());
    expect(await list({ tagStatus: "UNTAGGED" })).toEqual([`${two} `]);
    expect(await list({ imageStatus: "ARCHIVED" })).toEqual([]);
    const { nextToken } = await ecr.send(
      new sdk.ListImagesCommand({ repositoryName, maxResults: 1 }),
    );
    const elsewhere = new sdk.ListImagesCommand({
      repositoryName,
      filter: { tagStatus: "TAGGED" },
      nextToken,
    });
    expect((await refusal(ecr.send(elsewhere))).name).toBe("InvalidParameterException");
  });

  test("DescribeImages tells sizes, tags, types and times", async () => {
    const all: sdk.ImageDetail[] = [];
    for await (const page of sdk.paginateDescribeImages(
      { client: ecr, pageSize: 3 },
      { repositoryName },
    )) {
      all.push(...(page.imageDetails ?? []));
    }
    const digests = [...images, index].map(({ digest }) => digest);
    expect(all.map(({ imageDigest }) => imageDigest)).toEqual(digests.sort());
    const describe = async (imageIds: sdk.ImageIdentifier[]) =>
      (await ecr.send(new sdk.DescribeImagesCommand({ repositoryName, imageIds }))).imageDetails;
    const [detail, multi] =
      (await describe([{ imageTag: "a" }, { imageDigest: index.digest }])) ?? [];
    expect(detail).toMatchObject({
      registryId: "111122223333",
      repositoryName,
      imageTags: ["a", "b"],
      imageSizeInBytes: 100 + '{"of":["a","b"]}'.length,
      imageManifestMediaType: images[0]?.mediaType,
      artifactMediaType: "application/vnd.oci.image.config.v1+json",
      imageStatus: "ACTIVE",
    });
    expect(detail).not.toHaveProperty("lastRecordedPullTime");
    expect(detail?.imagePushedAt).toBeInstanceOf(Date);
    expect(multi?.imageSizeInBytes).toBe(detail?.imageSizeInBytes ?? 0);
    expect((await refusal(describe([{ imageTag: "none" }]))).name).toBe("ImageNotFoundException");
    expect((await refusal(describe([{ imageTag: "a", imageDigest: absent }]))).name).toBe(
      "ImageNotFoundException",
    );
  });

  test("ListImageReferrers pages over what names the image as its subject", async () => {
    const [subject] = images;
    if (subject === undefined) throw new Error("no image");
    const referrers = await Promise.all(
      ["r1", "r2", "r3"].map((seed) => push(repositoryName, [], seed, subject)),
    );
    const list = (input: Partial<sdk.ListImageReferrersRequest> = {}) =>
      ecr.send(
        new sdk.ListImageReferrersCommand({
          repositoryName,
          subjectId: { imageDigest: subject.digest },
          ...input,
        }),
      );
    const first = await list({ maxResults: 2 });
    const second = await list({ maxResults: 2, nextToken: first.nextToken });
    expect(
      [...(first.referrers ?? []), ...(second.referrers ?? [])].map(({ digest }) => digest),
    ).toEqual(referrers.map(({ digest }) => digest).sort());
    expect(first.referrers?.[0]?.artifactStatus).toBe("ACTIVE");
    expect(second.nextToken).toBeUndefined();
    expect((await list({ filter: { artifactTypes: ["application/none"] } })).referrers).toEqual([]);
    expect((await refusal(list({ maxResults: 51 }))).name).toBe("InvalidParameterException");
  });
});

describe("BatchGetImage and BatchDeleteImage", () => {
  const repositoryName = "batch";
  const get = (imageIds: sdk.ImageIdentifier[]) =>
    ecr.send(new sdk.BatchGetImageCommand({ repositoryName, imageIds }));
  const remove = (imageIds: sdk.ImageIdentifier[]) =>
    ecr.send(new sdk.BatchDeleteImageCommand({ repositoryName, imageIds }));

  test("fail image by image, with ECR's codes", async () => {
    const one = await push(repositoryName, ["1"], "one");
    await push(repositoryName, ["2"], "two");
    const wrong: [sdk.ImageIdentifier, sdk.ImageFailureCode][] = [
      [{}, "MissingDigestAndTag"],
      [{ imageDigest: "x" }, "InvalidImageDigest"],
      [{ imageTag: "a b" }, "InvalidImageTag"],
      [{ imageTag: "none" }, "ImageNotFound"],
      [{ imageDigest: absent }, "ImageNotFound"],
      [{ imageTag: "2", imageDigest: one.digest }, "ImageTagDoesNotMatchDigest"],
    ];
    const ids = wrong.map(([id]) => id);
    const codes = wrong.map(([, code]) => code);
    for (const answer of [await get(ids), await remove(ids)]) {
      expect(answer.failures?.map(({ failureCode }) => failureCode)).toEqual(codes);
    }
    const { images, failures } = await get([{ imageTag: "1" }, { imageDigest: one.digest }]);
    expect(failures).toEqual([]);
    expect(images?.map(({ imageId }) => imageId)).toEqual([
      { imageDigest: one.digest, imageTag: "1" },
      { imageDigest: one.digest },
    ]);
    expect((await refusal(get([]))).name).toBe("InvalidParameterException");
    const many = Array.from({ length: 101 }, () => ({ imageTag: "1" }));
    expect((await refusal(get(many))).name).toBe("InvalidParameterException");
  });

  test("by tag the last one takes the image with it; by digest all tags go", async () => {
    const image = await push(repositoryName, ["x", "y"], "tags");
    expect((await remove([{ imageTag: "x" }])).imageIds).toEqual([
      { imageDigest: image.digest, imageTag: "x" },
    ]);
    expect((await get([{ imageDigest: image.digest }])).images).toHaveLength(1);
    await remove([{ imageTag: "y" }]);
    expect((await get([{ imageDigest: image.digest }])).images).toEqual([]);
    const again = await push(repositoryName, ["x", "y"], "tags");
    expect((await remove([{ imageDigest: again.digest }])).imageIds).toEqual([
      { imageDigest: again.digest, imageTag: "x" },
      { imageDigest: again.digest, imageTag: "y" },
    ]);
  });

  test("what an index refers to stays, unless the index goes with it", async () => {
    const child = await push(repositoryName, [], "child");
    const index = await pushIndex(endpoint.registry, repositoryName, ["index"], [child]);
    const { failures } = await remove([{ imageDigest: child.digest }]);
    expect(failures?.[0]).toEqual({
      imageId: { imageDigest: child.digest },
      failureCode: "ImageReferencedByManifestList",
      failureReason: `Requested image referenced by manifest list: [${index.digest}]`,
    });
    const both = await remove([{ imageDigest: child.digest }, { imageTag: "index" }]);
    expect(both.failures).toEqual([]);
    expect(both.imageIds).toHaveLength(2);
  });
});

test("a pull leaves its time; an archived image is kept and cannot be pulled", async () => {
  const repositoryName = "archive";
  const image = await push(repositoryName, ["1"], "archive");
  const imageIds = [{ imageTag: "1" }];
  const detail = async () =>
    (await ecr.send(new sdk.DescribeImagesCommand({ repositoryName, imageIds }))).imageDetails?.[0];
  const get = () => ecr.send(new sdk.BatchGetImageCommand({ repositoryName, imageIds }));
  await get();
  expect((await detail())?.lastRecordedPullTime).toBeInstanceOf(Date);
  const update = (targetStorageClass: "ARCHIVE" | "STANDARD") =>
    ecr.send(
      new sdk.UpdateImageStorageClassCommand({
        repositoryName,
        imageId: { imageTag: "1" },
        targetStorageClass,
      }),
    );
  expect((await update("ARCHIVE")).imageStatus).toBe("ARCHIVED");
  expect((await get()).failures?.[0]?.failureCode).toBe("ImageNotFound");
  expect((await detail())?.imageStatus).toBe("ARCHIVED");
  const list = new sdk.ListImagesCommand({ repositoryName });
  expect((await ecr.send(list)).imageIds).toEqual([]);
  expect((await update("STANDARD")).imageStatus).toBe("ACTIVE");
  expect((await get()).images).toHaveLength(1);
  await update("ARCHIVE");
  await push(repositoryName, ["1"], "archive");
  expect(await detail()).toMatchObject({ imageDigest: image.digest, imageStatus: "ACTIVE" });
});
