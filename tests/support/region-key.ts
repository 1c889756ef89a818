/** A region's key as the configuration gives it to replication. */
import { generateKeyPairSync } from "node:crypto";
import type { RegionKey } from "../../src/replication/region-token.ts";

export function generateRegionKey(): RegionKey {
  const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  if (d === undefined || x === undefined) throw new Error("the key has no halves");
  return { publicKey: x, privateKey: d };
}
