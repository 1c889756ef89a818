/**
 * The registry against a model of a few lines: any sequence of pushes, mounts, tags and deletes is
 * answered as the model says, and leaves what the model has. On every database.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { expectConsistent } from "../support/consistency.ts";
import {
  absentDigest,
  bytesOf,
  descriptorOf,
  imageOf,
  indexOf,
  json,
  locationOf,
  withQuery,
} from "../support/content.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const repositories = ["a", "a/b"] as const;
const tags = ["latest", "v1", "V1"] as const;
const blobs = [0, 1, 2].map((i) => bytesOf(`model ${i}`, i * 50));
const blobDigest = (i: number) => digestOf(blobs[i] ?? new Uint8Array());

/** Two images that share a config, an index of both, and a referrer. */
interface ManifestModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  /** What it needs to be in the repository, by position. */
  readonly blobs: readonly number[];
  readonly manifests: readonly number[];
}

const manifests = (() => {
  const descriptor = (i: number) => descriptorOf(blobs[i] ?? new Uint8Array());
  const first = json(imageOf(descriptor(0), [descriptor(1)]));
  const second = json(imageOf(descriptor(0), [descriptor(2)]));
  const children = [first, second].map((bytes) => descriptorOf(bytes, mediaTypes.ociManifest));
  const subject = children[0];
  const all: readonly ManifestModel[] = [
    { bytes: first, type: mediaTypes.ociManifest, blobs: [0, 1], manifests: [] },
    { bytes: second, type: mediaTypes.ociManifest, blobs: [0, 2], manifests: [] },
    { bytes: json(indexOf(children)), type: mediaTypes.ociIndex, blobs: [], manifests: [0, 1] },
    {
      bytes: json(imageOf(descriptor(0), [], { subject })),
      type: mediaTypes.ociManifest,
      blobs: [0],
      manifests: [],
    },
  ];
  return all.map((manifest) => ({ ...manifest, digest: digestOf(manifest.bytes) as string }));
})();
const manifestAt = (i: number) => {
  const manifest = manifests[i];
  if (manifest === undefined) throw new Error(`no manifest ${i}`);
  return manifest;
};

interface RepositoryModel {
  exists: boolean;
  blobs: Set<number>;
  manifests: Set<number>;
  tags: Map<string, number>;
}

interface SessionModel {
  readonly repository: string;
  readonly location: string;
  bytes: Uint8Array;
  open: boolean;
}

class Model {
  readonly repositories = new Map<string, RepositoryModel>(
    repositories.map((name) => [
      name,
      { exists: false, blobs: new Set(), manifests: new Set(), tags: new Map() },
    ]),
  );
  readonly sessions: SessionModel[] = [];
  of(name: string): RepositoryModel {
    const repository = this.repositories.get(name);
    if (repository === undefined) throw new Error(`no repository ${name}`);
    return repository;
  }
  /** A push makes the repository, also one that then fails. */
  pushedTo(name: string): RepositoryModel {
    const repository = this.of(name);
    repository.exists = true;
    return repository;
  }
}

type Step = (registry: TestRegistry, model: Model) => Promise<void>;

const repository = fc.constantFrom(...repositories);
const tag = fc.constantFrom(...tags);
const blob = fc.nat({ max: blobs.length - 1 });
const manifest = fc.nat({ max: manifests.length - 1 });
const session = fc.nat({ max: 5 });

const begin = async (registry: TestRegistry, model: Model, name: string, query = "") => {
  const response = await registry.request("POST", `/v2/${name}/blobs/uploads/${query}`);
  model.pushedTo(name);
  expect(response.status).toBe(202);
  const location = locationOf(response);
  model.sessions.push({ repository: name, location, bytes: new Uint8Array(), open: true });
};

const steps: fc.Arbitrary<{ name: string; run: Step }> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(repository, blob).map(([name, i]) => ({
      name: `push blob ${i} to ${name}`,
      run: async (registry: TestRegistry, model: Model) => {
        const path = `/v2/${name}/blobs/uploads/?digest=${blobDigest(i)}`;
        const response = await registry.request("POST", path, { body: blobs[i] ?? null });
        expect(response.status).toBe(201);
        model.pushedTo(name).blobs.add(i);
      },
    })),
  },
  repository.map((name) => ({
    name: `begin in ${name}`,
    run: (registry: TestRegistry, model: Model) => begin(registry, model, name),
  })),
  fc.tuple(session, blob, fc.constantFrom("stream", "chunk", "wrong")).map(([at, i, form]) => ({
    name: `patch session ${at} with blob ${i} as ${form}`,
    run: async (registry: TestRegistry, model: Model) => {
      const state = model.sessions[at];
      const bytes = blobs[i] ?? new Uint8Array();
      if (state === undefined || (bytes.length === 0 && form !== "stream")) return;
      const start = state.bytes.length + (form === "wrong" ? 1 : 0);
      const response = await registry.request("PATCH", state.location, {
        body: bytes,
        headers:
          form === "stream" ? {} : { "Content-Range": `${start}-${start + bytes.length - 1}` },
      });
      expect(response.status).toBe(!state.open ? 404 : form === "wrong" ? 416 : 202);
      if (!state.open) return;
      if (form !== "wrong") state.bytes = Buffer.concat([state.bytes, bytes]);
      expect(response.headers.get("range")).toBe(`0-${Math.max(0, state.bytes.length - 1)}`);
    },
  })),
  fc.tuple(session, fc.option(blob)).map(([at, i]) => ({
    name: `end session ${at} as blob ${i}`,
    run: async (registry: TestRegistry, model: Model) => {
      const state = model.sessions[at];
      if (state === undefined) return;
      const digest = i === null ? absentDigest : blobDigest(i);
      const put = withQuery(state.location, `digest=${digest}`);
      const { status } = await registry.request("PUT", put);
      const right = digestOf(state.bytes) === digest;
      expect(status).toBe(!state.open ? 404 : right ? 201 : 400);
      if (!state.open) return;
      state.open = false;
      if (right && i !== null) model.of(state.repository).blobs.add(i);
    },
  })),
  session.map((at) => ({
    name: `cancel session ${at}`,
    run: async (registry: TestRegistry, model: Model) => {
      const state = model.sessions[at];
      if (state === undefined) return;
      const { status } = await registry.request("DELETE", state.location);
      expect(status).toBe(state.open ? 204 : 404);
      state.open = false;
    },
  })),
  fc.tuple(repository, repository, blob, fc.boolean()).map(([from, to, i, named]) => ({
    name: `mount blob ${i} from ${named ? from : "anywhere"} to ${to}`,
    run: async (registry: TestRegistry, model: Model) => {
      const query = `?mount=${blobDigest(i)}${named ? `&from=${from}` : ""}`;
      const found = (named ? [from] : repositories).some((name) => model.of(name).blobs.has(i));
      if (!found) return begin(registry, model, to, query);
      const response = await registry.request("POST", `/v2/${to}/blobs/uploads/${query}`);
      expect(response.status).toBe(201);
      model.pushedTo(to).blobs.add(i);
    },
  })),
  {
    weight: 5,
    arbitrary: fc.tuple(repository, manifest, fc.option(tag)).map(([name, i, as]) => ({
      name: `push manifest ${i} to ${name} as ${as ?? "digest"}`,
      run: async (registry: TestRegistry, model: Model) => {
        const { bytes, digest, type, ...needs } = manifestAt(i);
        const path = `/v2/${name}/manifests/${as ?? digest}`;
        const headers = { "Content-Type": type };
        const response = await registry.request("PUT", path, { body: bytes, headers });
        const state = model.of(name);
        const complete =
          needs.blobs.every((each) => state.blobs.has(each)) &&
          needs.manifests.every((each) => state.manifests.has(each));
        expect(response.status).toBe(complete ? 201 : 400);
        // A manifest that is refused makes no repository.
        if (!complete) return;
        model.pushedTo(name).manifests.add(i);
        if (as !== null) state.tags.set(as, i);
      },
    })),
  },
  fc.tuple(repository, tag).map(([name, as]) => ({
    name: `delete tag ${as} of ${name}`,
    run: async (registry: TestRegistry, model: Model) => {
      const { status } = await registry.request("DELETE", `/v2/${name}/manifests/${as}`);
      expect(status).toBe(model.of(name).tags.delete(as) ? 202 : 404);
    },
  })),
  fc.tuple(repository, manifest).map(([name, i]) => ({
    name: `delete manifest ${i} of ${name}`,
    run: async (registry: TestRegistry, model: Model) => {
      const path = `/v2/${name}/manifests/${manifestAt(i).digest}`;
      const { status } = await registry.request("DELETE", path);
      const state = model.of(name);
      expect(status).toBe(state.manifests.delete(i) ? 202 : 404);
      for (const [as, at] of [...state.tags]) if (at === i) state.tags.delete(as);
    },
  })),
  fc.tuple(repository, blob).map(([name, i]) => ({
    name: `delete blob ${i} of ${name}`,
    run: async (registry: TestRegistry, model: Model) => {
      const { status } = await registry.request("DELETE", `/v2/${name}/blobs/${blobDigest(i)}`);
      const state = model.of(name);
      const used = [...state.manifests].some((each) => manifestAt(each).blobs.includes(i));
      expect(status).toBe(!state.blobs.has(i) ? 404 : used ? 405 : 202);
      if (!used) state.blobs.delete(i);
    },
  })),
);

/** Everything that can be asked, compared with what the model has. */
async function expectSame(registry: TestRegistry, model: Model): Promise<void> {
  const catalogue = await registry.request("GET", "/v2/_catalog");
  expect(await catalogue.json()).toEqual({
    repositories: repositories.filter((name) => model.of(name).exists),
  });
  for (const name of repositories) {
    const state = model.of(name);
    const status = async (path: string) =>
      (await registry.request("HEAD", `/v2/${name}/${path}`)).status;
    for (const i of blobs.keys()) {
      expect(await status(`blobs/${blobDigest(i)}`)).toBe(state.blobs.has(i) ? 200 : 404);
    }
    for (const [i, { digest }] of manifests.entries()) {
      expect(await status(`manifests/${digest}`)).toBe(state.manifests.has(i) ? 200 : 404);
    }
    for (const as of tags) {
      const head = await registry.request("HEAD", `/v2/${name}/manifests/${as}`);
      const at = state.tags.get(as);
      expect(head.headers.get("docker-content-digest")).toBe(
        at === undefined ? null : manifestAt(at).digest,
      );
    }
    const list = await registry.request("GET", `/v2/${name}/tags/list`);
    expect(list.status).toBe(state.exists ? 200 : 404);
    if (state.exists) {
      expect(await list.json()).toEqual({ name, tags: [...state.tags.keys()].toSorted() });
    }
    const referrers = await registry.request(
      "GET",
      `/v2/${name}/referrers/${manifestAt(0).digest}`,
    );
    const index = (await referrers.json()) as { manifests: { digest: string }[] };
    expect(index.manifests.map(({ digest }) => digest)).toEqual(
      state.manifests.has(3) ? [manifestAt(3).digest] : [],
    );
  }
  for (const { location, open, bytes } of model.sessions) {
    const response = await registry.request("GET", location);
    expect(response.status).toBe(open ? 204 : 404);
    if (open) expect(response.headers.get("range")).toBe(`0-${Math.max(0, bytes.length - 1)}`);
  }
}

for (const [name, openStore, available] of metadataStores) {
  describe.skipIf(!available)(name, () => {
    test("any sequence of requests does what the model does", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 20, maxLength: 60 }), async (sequence) => {
          await using registry = await openRegistry({ openMetadata: openStore });
          const model = new Model();
          for (const { run } of sequence) await run(registry, model);
          await expectSame(registry, model);
          await expectConsistent(registry);
        }),
        { numRuns: name === "sqlite in memory" ? 60 : 5 },
      );
    }, 60_000);
  });
}
