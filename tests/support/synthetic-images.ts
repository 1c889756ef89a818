/**
 * One image of every shape that has broken a registry. What each is named after, and which project
 * failed on it, stands beside it.
 */
import { mediaTypes } from "../../src/image/media-type.ts";
import {
  configType,
  type ImageBuilder,
  type SyntheticDescriptor,
  type SyntheticImage,
  syntheticImage,
} from "./synthetic-image.ts";

const emptyType = "application/vnd.oci.empty.v1+json";
const dockerLayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const dockerConfigType = "application/vnd.docker.container.image.v1+json";
const one = { tags: ["1"] };
const latest = { tags: ["latest"] };

const layers = (build: ImageBuilder, count: number) =>
  Array.from({ length: count }, (_, index) => build.blob(`layer ${index}\n`));
const platform = (architecture: string, variant?: string) => ({
  platform: { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) },
});
const empty = (build: ImageBuilder) => build.blob("{}", emptyType);
const child = (build: ImageBuilder, name: string) => build.image([build.blob(`${name}\n`)]);

/** An artifact that refers to a subject, pushed by digest. */
function referrer(
  build: ImageBuilder,
  subject: SyntheticDescriptor,
  artifactType: string,
  content: string,
): SyntheticDescriptor {
  return build.manifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: empty(build),
    layers: [build.blob(content, artifactType)],
    subject,
    annotations: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" },
  });
}

const recipes: Readonly<Record<string, (build: ImageBuilder) => void>> = {
  // Layers.
  "layers-127": (build) => void build.image(layers(build, 127), {}, one),
  "layers-500": (build) => void build.image(layers(build, 500), {}, one),
  "layers-none": (build) => void build.image([], {}, one),
  "layers-identical": (build) =>
    void build.image(
      Array.from({ length: 64 }, () => build.blob("the same\n")),
      {},
      one,
    ),
  "layer-empty": (build) => void build.image([build.blob("")], {}, one),
  "layer-nondistributable": (build) => {
    const bytes = new TextEncoder().encode("never pushed");
    const { digest } = build.blob("only its digest counts");
    const foreign = {
      mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      digest: digest.replace(/.{4}$/, "0000"),
      size: bytes.length,
      urls: ["https://example.invalid/layer"],
    };
    build.image([foreign, build.blob("an ordinary layer\n")], {}, one);
  },

  // Indexes.
  "index-6-architectures": (build) => {
    const names = ["amd64", "arm64", "arm", "ppc64le", "s390x", "riscv64"];
    const children = names.map((name) => ({ ...child(build, name), ...platform(name) }));
    build.index(children, {}, one);
  },
  "index-empty": (build) => void build.index([], {}, one),
  "index-nested": (build) => {
    const inner = build.index([{ ...child(build, "amd64"), ...platform("amd64") }]);
    build.index([inner, child(build, "beside")], {}, one);
  },
  "index-duplicate-entries": (build) => {
    const image = child(build, "twice");
    build.index([image, { ...image, ...platform("amd64") }, image], {}, one);
  },
  "index-attestations": (build) => {
    // BuildKit's provenance is a child for a platform that nobody has (moby/moby#51532).
    const image = child(build, "amd64");
    const statement = build.blob("{}", "application/vnd.in-toto+json");
    const attestation = build.image([statement]);
    const annotations = {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": image.digest,
    };
    const unknown = { platform: { os: "unknown", architecture: "unknown" }, annotations };
    build.index(
      [
        { ...image, ...platform("amd64") },
        { ...attestation, ...unknown },
      ],
      {},
      one,
    );
  },
  "index-of-oci-and-docker": (build) => {
    const docker = build.manifest(dockerManifest(build), { mediaType: mediaTypes.dockerManifest });
    build.index([child(build, "oci"), docker], {}, one);
  },

  // Build caches (go-gitea/gitea#28973, goharbor/harbor#14774).
  "cache-as-index-of-layers": (build) => {
    const configuration = build.blob("{}", "application/vnd.buildkit.cacheconfig.v0");
    build.index([...layers(build, 3), configuration], {}, one);
  },
  "cache-as-manifest": (build) => {
    const config = build.blob('{"layers":[]}', "application/vnd.buildkit.cacheconfig.v0");
    build.manifest(
      { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: layers(build, 3) },
      one,
    );
  },

  // Docker's types.
  "docker-schema-2": (build) =>
    void build.manifest(dockerManifest(build), { ...one, mediaType: mediaTypes.dockerManifest }),
  "docker-list": (build) => {
    const mediaType = mediaTypes.dockerManifest;
    const image = build.manifest(dockerManifest(build), { mediaType });
    const children = [{ ...image, ...platform("amd64") }];
    build.index(children, {}, { ...one, mediaType: mediaTypes.dockerList });
  },
  "docker-foreign-layer": (build) => {
    const foreign = {
      mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
      digest: `sha256:${"f".repeat(64)}`,
      size: 100,
      urls: ["https://example.invalid/windows"],
    };
    const manifest = dockerManifest(build);
    build.manifest(
      { ...manifest, layers: [foreign, ...manifest.layers] },
      { ...one, mediaType: mediaTypes.dockerManifest },
    );
  },

  // Artifacts.
  "helm-chart": (build) => {
    // helm writes no mediaType (cloudflare/serverless-registry#158).
    const config = build.blob('{"name":"harbour"}', "application/vnd.cncf.helm.config.v1+json");
    const chart = build.blob("chart", "application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    const provenance = build.blob("signed", "application/vnd.cncf.helm.chart.provenance.v1.prov");
    build.manifest(
      { schemaVersion: 2, config, layers: [chart, provenance] },
      { tags: ["1.2.3_b4"] },
    );
  },
  "web-assembly": (build) => {
    const config = build.blob("{}", "application/vnd.wasm.config.v0+json");
    const layer = build.blob("\0asm", "application/wasm");
    build.manifest(
      { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] },
      one,
    );
  },
  "artifact-manifest-of-1.1-rc": (build) =>
    void build.manifest(
      {
        mediaType: mediaTypes.ociArtifact,
        artifactType: "application/vnd.example",
        blobs: [build.blob("data\n", "text/plain")],
      },
      { ...one, mediaType: mediaTypes.ociArtifact },
    ),
  "cosign-tag": (build) => {
    // A tag, and never a digest (oras-project/oras-go#1396).
    const image = build.image([build.blob("signed image\n")], {}, latest);
    const tag = `${image.digest.replace(":", "-")}.sig`;
    const layer = build.blob("{}", "application/vnd.dev.cosign.simplesigning.v1+json");
    build.image([layer], {}, { tags: [tag] });
  },
  "referrers-fallback-tag": (build) => {
    const image = build.image([build.blob("subject\n")], {}, latest);
    build.index([], {}, { tags: [image.digest.replace(":", "-")] });
  },

  // Referrers.
  "referrers-of-every-kind": (build) => {
    const subject = build.image([build.blob("subject\n")], {}, latest);
    const bundle = referrer(build, subject, "application/vnd.dev.sigstore.bundle.v0.3+json", "{}");
    referrer(build, subject, "application/vnd.cncf.notary.signature", "signature");
    referrer(build, subject, "application/spdx+json", '{"spdxVersion":"SPDX-2.3"}');
    referrer(build, subject, "application/vnd.cyclonedx+json", '{"bomFormat":"CycloneDX"}');
    const config = build.blob("{}", "application/vnd.amazon.soci.index.v1+json");
    build.manifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers: [],
      subject,
    });
    build.index([], { subject, artifactType: "application/vnd.example.index" });
    build.index([], { subject });
    referrer(build, bundle, "application/vnd.example.countersignature", "of a referrer");
  },
  "referrers-300": (build) => {
    const subject = build.index([child(build, "subject")], {}, latest);
    const types = [
      "application/spdx+json",
      "application/vnd.example.a",
      "application/vnd.example.b",
    ];
    for (let i = 0; i < 300; i++) referrer(build, subject, types[i % 3] ?? "", `referrer ${i}\n`);
  },
  "subject-missing": (build) => {
    const subject = {
      mediaType: mediaTypes.ociManifest,
      digest: `sha256:${"a".repeat(64)}` as const,
      size: 7,
    };
    build.image([build.blob("before its subject\n")], { subject }, one);
  },

  // Bytes.
  "sha512-all-through": (build) => {
    const layer = build.blob("sha512\n", undefined, "sha512");
    const image = build.image([layer], {}, { algorithm: "sha512" });
    build.index([image], {}, { algorithm: "sha512" });
  },
  "sha256-and-sha512-mixed": (build) =>
    void build.image([build.blob("a\n", undefined, "sha512"), build.blob("b\n")], {}, one),
  "bytes-odd": (build) => {
    const config = JSON.stringify(build.blob("{}", configType));
    // Line ends of Windows, tabs, doubled keys, a number that JavaScript cannot hold, unicode in
    // both forms, unknown fields, and empty lines behind the end.
    build.manifest(
      `{\r\n\t"schemaVersion": 2,\r\n\t"mediaType": "${mediaTypes.ociManifest}",\r\n\t"config": ${config},\r\n` +
        `\t"layers": [ ],\r\n\t"big": 12345678901234567890.10,\r\n\t"twice": 1, "twice": 2,\r\n` +
        `\t"annotations": {"name": "h\\u00e4fen", "other": "Häfen 🚢"}\r\n}\r\n\n\n`,
      one,
    );
  },
  "manifest-of-3.9-megabytes": (build) => {
    const annotations = { filler: "x".repeat(3_900_000) };
    build.image([build.blob("small\n")], { annotations }, one);
  },
  "data-field": (build) => {
    const layer = build.blob("carried inside\n");
    const data = Buffer.from("carried inside\n").toString("base64");
    build.image([{ ...layer, data }], {}, one);
  },
  "content-type-with-parameters": (build) => void build.image([build.blob("x\n")], {}, one),
  "tags-at-the-limits": (build) => {
    const tags = ["t".repeat(128), "_", "A", "a", "1", "10", "9", "v1.0.0-rc.1_build--x", "0.0"];
    build.image([build.blob("tagged\n")], {}, { tags });
  },
};

function dockerManifest(build: ImageBuilder) {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: build.blob('{"os":"linux"}', dockerConfigType),
    layers: [build.blob("docker\n", dockerLayerType)],
  };
}

export function syntheticImages(): SyntheticImage[] {
  return Object.entries(recipes).map(([name, recipe]) => {
    const image = syntheticImage(name, recipe);
    if (name !== "content-type-with-parameters") return image;
    const manifests = image.manifests.map((manifest) => ({
      ...manifest,
      contentType: `${manifest.mediaType}; charset=utf-8`,
    }));
    return { ...image, manifests };
  });
}
