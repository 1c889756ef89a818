/**
 * The engine without network and without waiting: stores in memory, peers in the process, and a
 * clock that the test moves. Everything that a simulator needs is a parameter.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { verified } from "../../src/blobs/verified.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import {
  type ChangeObserver,
  defaultRegistrySettings,
  type RegistryContext,
} from "../../src/registry/context.ts";
import { findManifest } from "../../src/registry/find-manifest.ts";
import { hybridClock } from "../../src/registry/hybrid-clock.ts";
import { keyedMutex } from "../../src/registry/keyed-mutex.ts";
import { putReplicationConfiguration } from "../../src/replication/configuration.ts";
import { ReplicationFailure } from "../../src/replication/failure.ts";
import { localPeer } from "../../src/replication/local-peer.ts";
import { noMeter } from "../../src/replication/metrics.ts";
import type { Peer } from "../../src/replication/peer.ts";
import { startReplication } from "../../src/replication/start-replication.ts";
import { systemRandom } from "../../src/runtime/clock.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { regionAccess } from "../support/region-access.ts";
import { generateRegionKey } from "../support/region-key.ts";
import { ruleTo } from "../support/regions.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const chart = {
  regions: ["us-east-1", "eu-west-1"].map((name) => ({
    name,
    endpoint: "http://unreachable.invalid",
    publicKey: generateRegionKey().publicKey,
  })),
};

async function openRegion(name: string, clock: ManualClock, connect: () => Peer, meter = noMeter) {
  const observers: ChangeObserver[] = [];
  const context: RegistryContext = {
    region: name,
    metadata: await sqliteMetadataStore({ path: ":memory:", now: clock.now() }),
    blobs: verified(memoryBlobStore()),
    clock,
    random: { ...systemRandom, next: () => 0.5 },
    hybridClock: hybridClock(clock),
    settings: defaultRegistrySettings,
    observers,
    uploadMutex: keyedMutex(),
  };
  const access = regionAccess(context);
  await access.addAccount(testAccount);
  const replication = startReplication({
    context,
    chart,
    regionKey: generateRegionKey(),
    fetch: () => Promise.reject(new Error("nothing goes over a network")),
    connect,
    knowsAccount: access.knowsAccount,
    consent: access.consent,
    soleWorker: true,
    meter,
  });
  observers.push(replication.observer);
  return { context, ...replication };
}

test("an hour of outage passes in no time, and ends by itself", async () => {
  const clock = manualClock();
  let offers = 0;
  let down = true;
  const nowhere: Peer = {
    offer: () => Promise.reject(new Error("the replica has no rules")),
    sendBlob: () => Promise.reject(new Error("the replica has no rules")),
  };
  const replica = await openRegion("eu-west-1", clock, () => nowhere);
  const inside = localPeer("us-east-1", replica.receiver);
  const line: Peer = {
    async offer(offer, signal) {
      offers++;
      if (down) throw new ReplicationFailure("destination_unreachable", "the line is cut");
      return inside.offer(offer, signal);
    },
    sendBlob: inside.sendBlob,
  };
  const gauges = new Map<string, number>();
  const source = await openRegion("us-east-1", clock, () => line, {
    ...noMeter,
    gauge: ({ name }) => ({ set: (value) => void gauges.set(name, value) }),
  });
  const configuration = { rules: [ruleTo("eu-west-1")] };
  const actor = "arn:aws:iam::111122223333:root";
  await putReplicationConfiguration(source.context, {
    account: testAccount,
    configuration,
    actor,
  });
  for (let i = 0; i < 10; i++) {
    await pushImage(source.context, {
      repository: "web",
      tags: [`${i}`],
      layers: [noise(`${i}`, 2 * 1024 * 1024)],
    });
  }
  const { worker } = source;
  const pass = async (milliseconds: number) => {
    const until = clock.now() + milliseconds;
    while (clock.now() < until) {
      const wait = await worker.tick();
      await worker.settled();
      clock.advance(Math.min(Math.max(wait, 1), until - clock.now()));
    }
  };
  const hour = 3_600_000;
  await pass(hour);
  // One probe every 11 seconds, whatever the length of the queue.
  expect(offers).toBeGreaterThan(250);
  expect(offers).toBeLessThan(400);
  expect(await source.lags()).toMatchObject([{ lagMilliseconds: hour, backlogImages: 10 }]);
  expect(gauges.get("portolan_replication_lag_seconds")).toBe(3600);
  expect(gauges.get("portolan_replication_circuit_open")).toBe(1);
  down = false;
  await pass(30_000);
  expect(await source.lags()).toEqual([]);
  for (const [name, value] of gauges) expect([name, value]).toEqual([name, 0]);
  for (let i = 0; i < 10; i++) {
    await findManifest(
      replica.context,
      { account: testAccount, repository: "web" },
      { tag: `${i}` },
    );
  }
});
