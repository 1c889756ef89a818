/** Filters of our own at work: the push's own transaction decides where an image goes. */
import { describe, expect, test } from "bun:test";
import type { ReplicationFilter } from "../../src/replication/filters.ts";
import { oneWay } from "../support/one-way.ts";
import { pushImage, testAccount } from "../support/push-image.ts";
import type { TestRegion } from "../support/regions.ts";
import { allComplete, pull, replicationsOf } from "../support/replicated.ts";

const configure = (source: TestRegion, ...repositoryFilters: ReplicationFilter[]) =>
  source.configure([
    { destinations: [{ region: "eu-west-1", registryId: testAccount }], repositoryFilters },
  ]);

describe("replication", () => {
  test("takes the tags that a rule names, and no others", async () => {
    const { fleet, source, replica } = await oneWay();
    await using _ = fleet;
    await configure(
      source,
      { filterType: "PORTOLAN_TAG", filter: "v*" },
      { filterType: "PORTOLAN_TAG_EXCLUDE", filter: "*-rc*" },
      { filterType: "PORTOLAN_EXCLUDE", filter: "scratch/*" },
    );
    const image = await pushImage(source.context, {
      repository: "web",
      tags: ["v1", "v2-rc1", "latest"],
      layers: [],
    });
    await pushImage(source.context, { repository: "scratch/web", tags: ["v1"], layers: [] });
    await allComplete(source, "web", image.digest);
    expect((await replicationsOf(source, "web", image.digest)).map(({ tag }) => tag)).toEqual([
      "v1",
    ]);
    expect(await replicationsOf(source, "scratch/web", "v1")).toEqual([]);
    expect((await pull(replica, "web", "v1"))?.digest).toBe(image.digest);
    expect(await pull(replica, "web", "latest")).toBeUndefined();
  });

  test("takes artifact types: of an image without one its config's media type", async () => {
    const { fleet, source } = await oneWay();
    await using _ = fleet;
    const image = { repository: "web", tags: ["1"], layers: [] };
    await configure(source, { filterType: "PORTOLAN_ARTIFACT_TYPE", filter: "application/spdx*" });
    await pushImage(source.context, image);
    expect(await replicationsOf(source, "web", "1")).toEqual([]);
    await configure(source, {
      filterType: "PORTOLAN_ARTIFACT_TYPE",
      filter: "application/vnd.oci.image.config.v1+json",
    });
    const { digest } = await pushImage(source.context, { ...image, tags: ["2"] });
    await allComplete(source, "web", digest);
    expect(await replicationsOf(source, "web", "2")).toHaveLength(1);
  });
});
