/** What arrives in the other regions, and with how many requests. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Digest } from "../../src/image/digest.ts";
import { listReferrers } from "../../src/registry/list-referrers.ts";
import { putTagMutability } from "../../src/registry/put-tag-mutability.ts";
import {
  type Descriptor,
  noise,
  pushImage,
  pushIndex,
  tagImage,
  testAccount,
} from "../support/push-image.ts";
import { ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, failureShown, pull, pullAll, replicationsOf } from "../support/replicated.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const megabyte = 1024 * 1024;

const described = ({ requests }: TestRegion) =>
  requests.map(({ method, resource }) => `${method} ${resource}`);

describe("an image that is pushed", () => {
  test("arrives whole wherever a rule sends it, and nowhere else", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1", "sa-east-1", "ap-south-1"]);
    const source = fleet.region("us-east-1");
    await source.configure([
      {
        ...ruleTo("eu-west-1", "sa-east-1"),
        repositoryFilters: [{ filter: "prod-", filterType: "PREFIX_MATCH" }],
      },
    ]);
    const layers = [noise("a", 2 * megabyte), noise("b", 3 * megabyte), noise("c", 10)];
    const image = await pushImage(source.context, {
      repository: "prod-web",
      tags: ["1", "2"],
      layers,
    });
    const other = await pushImage(source.context, { repository: "test-web", tags: ["1"], layers });
    const replications = await allComplete(source, "prod-web", image.digest);
    expect(replications.map((row) => `${row.destination_region} ${row.tag}`)).toEqual([
      "eu-west-1 1",
      "eu-west-1 2",
      "sa-east-1 1",
      "sa-east-1 2",
    ]);
    for (const name of ["eu-west-1", "sa-east-1"]) {
      const replica = fleet.region(name);
      for (const reference of ["1", "2", image.digest]) {
        expect(await pullAll(replica, "prod-web", reference)).toEqual(
          await pullAll(source, "prod-web", reference),
        );
      }
      expect(await pull(replica, "test-web", "1")).toBeUndefined();
    }
    expect(fleet.region("ap-south-1").requests).toEqual([]);
    expect(await replicationsOf(source, "test-web", other.digest)).toEqual([]);
  });

  test("costs one round trip when its layers are there already", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    await source.configure([ruleTo("eu-west-1")]);
    const layers = [noise("a", 2 * megabyte), noise("b", 3 * megabyte)];
    const first = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await allComplete(source, "web", first.digest);
    replica.requests.length = 0;
    // A new config and another repository: what a rebuild without changed files makes.
    const second = await pushImage(source.context, { repository: "copy", tags: ["2"], layers });
    await allComplete(source, "copy", second.digest);
    expect(described(replica)).toEqual(["POST offers"]);
    await pullAll(replica, "copy", "2");
  });

  test("costs two round trips when it is new and small, three when a layer is large", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    await source.configure([ruleTo("eu-west-1")]);
    const small = await pushImage(source.context, {
      repository: "small",
      tags: ["1"],
      layers: [noise("a", 200_000), noise("b", 500_000)],
    });
    await allComplete(source, "small", small.digest);
    expect(described(replica)).toEqual(["POST offers", "POST offers"]);
    replica.requests.length = 0;
    const large = await pushImage(source.context, {
      repository: "large",
      tags: ["1"],
      layers: [noise("c", 2 * megabyte), noise("d", 100_000), noise("e", 3 * megabyte)],
    });
    await allComplete(source, "large", large.digest);
    expect(described(replica).sort()).toEqual([
      "POST offers",
      "POST offers",
      "PUT blobs",
      "PUT blobs",
      "PUT blobs",
    ]);
    await pullAll(replica, "large", large.digest);
  });

  test("sends a layer once that two images need at the same time", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"], {
      line: { connectionBytesPerSecond: 20 * megabyte },
    });
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    const shared = noise("shared", 4 * megabyte);
    await source.configure([ruleTo("eu-west-1")]);
    const images = [];
    for (const repository of ["one", "two", "three"]) {
      images.push({
        repository,
        image: await pushImage(source.context, { repository, tags: ["1"], layers: [shared] }),
      });
    }
    for (const { repository, image } of images) {
      await allComplete(source, repository, image.digest);
      await pullAll(replica, repository, "1");
    }
    expect(described(replica).filter((request) => request === "PUT blobs")).toHaveLength(1);
  });

  test("may have an index with children, and children of children", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    const children: Descriptor[] = [];
    for (const platform of ["amd64", "arm64", "riscv64"]) {
      const layers = [noise(platform, 2 * megabyte), noise("base", 100)];
      children.push(await pushImage(source.context, { repository: "web", layers }));
    }
    const inner = await pushIndex(source.context, "web", [], children.slice(0, 2));
    // Configured only now: the children have no replications of their own.
    await source.configure([ruleTo("eu-west-1")]);
    const outer = await pushIndex(source.context, "web", ["multi"], [inner, ...children.slice(2)]);
    await allComplete(source, "web", outer.digest);
    expect(await pullAll(replica, "web", "multi")).toEqual(await pullAll(source, "web", "multi"));
  });

  test("may have content by sha512, empty layers, and foreign layers that nobody has", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    await source.configure([ruleTo("eu-west-1")]);
    const image = await pushImage(source.context, {
      repository: "web",
      tags: ["512"],
      algorithm: "sha512",
      layers: [noise("a", 2 * megabyte), new Uint8Array(0)],
      foreign: [
        {
          mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
          digest: `sha256:${"f".repeat(64)}`,
          size: 5,
        },
      ],
    });
    expect(image.digest).toStartWith("sha512:");
    await allComplete(source, "web", image.digest);
    expect(await pullAll(fleet.region("eu-west-1"), "web", "512")).toHaveLength(4);
  });

  test("brings its referrers, each by its own push", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    await source.configure([ruleTo("eu-west-1")]);
    const image = await pushImage(source.context, {
      repository: "web",
      tags: ["1"],
      layers: [noise("a", 5000)],
    });
    const signature = await pushImage(source.context, {
      repository: "web",
      layers: [noise("signature", 300)],
      subject: image,
    });
    await allComplete(source, "web", image.digest);
    await allComplete(source, "web", signature.digest);
    const referrers = await listReferrers(
      replica.context,
      { account: testAccount, repository: "web" },
      image.digest as Digest,
      { after: "" },
    );
    expect(referrers.referrers.map(({ digest }) => digest)).toEqual([signature.digest]);
  });
});

describe("a tag that is set again", () => {
  test("moves at the destination", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    await source.configure([ruleTo("eu-west-1")]);
    const old = await pushImage(source.context, {
      repository: "web",
      tags: ["latest"],
      layers: [noise("old", 100)],
    });
    await allComplete(source, "web", old.digest);
    const config = new TextEncoder().encode("{}");
    const next = await pushImage(source.context, {
      repository: "web",
      tags: ["latest"],
      config,
      layers: [noise("new", 100)],
    });
    await allComplete(source, "web", next.digest);
    expect((await pull(replica, "web", "latest"))?.digest).toBe(next.digest);
    // Back to the old one: the same image and tag as before, with a newer version.
    const manifest = await pull(source, "web", old.digest);
    await tagImage(source.context, "web", "latest", manifest?.bytes ?? config, old.mediaType);
    await allComplete(source, "web", old.digest);
    expect((await pull(replica, "web", "latest"))?.digest).toBe(old.digest);
  });

  test("stays at a destination whose repository is immutable, and the status says so", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    await source.configure([ruleTo("eu-west-1")]);
    const push = (seed: string, tag: string) =>
      pushImage(source.context, { repository: "web", tags: [tag], layers: [noise(seed, 100)] });
    const old = await push("old", "1");
    await allComplete(source, "web", old.digest);
    await putTagMutability(
      replica.context,
      { account: testAccount, repository: "web", actor: "test" },
      { tagMutability: "IMMUTABLE", exclusionFilters: [] },
    );
    const next = await push("new", "1");
    await failureShown(source, "web", next.digest, "tag_immutable");
    expect((await pull(replica, "web", "1"))?.digest).toBe(old.digest);
    expect((await pull(replica, "web", next.digest))?.digest).toBe(next.digest);
    const other = await push("new", "2");
    await allComplete(source, "web", "2");
    expect((await pull(replica, "web", "2"))?.digest).toBe(other.digest);
  });

  test("follows when an image that is there gets a new tag", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const source = fleet.region("us-east-1");
    const replica = fleet.region("eu-west-1");
    const image = await pushImage(source.context, {
      repository: "web",
      tags: ["1"],
      layers: [noise("a", 2 * megabyte)],
    });
    await source.configure([ruleTo("eu-west-1")]);
    const bytes = (await pull(source, "web", "1"))?.bytes ?? new Uint8Array();
    await tagImage(source.context, "web", "stable", bytes, image.mediaType);
    await allComplete(source, "web", "stable");
    expect((await pull(replica, "web", "stable"))?.digest).toBe(image.digest);
    expect(await pull(replica, "web", "1")).toBeUndefined();
  });
});
