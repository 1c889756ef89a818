/**
 * What every query promises, on every engine. The last test fails when a query was added to
 * `src/metadata/queries` and has none here: SQL that one engine takes may be refused by another.
 */
import { expect, test } from "bun:test";
import type { TestDatabase } from "../support/metadata-stores.ts";
import { accessQueriesContract } from "./access-queries.ts";
import { auditQueriesContract } from "./audit-queries.ts";
import { backfillQueriesContract } from "./backfill-queries.ts";
import { consentQueriesContract } from "./consent-queries.ts";
import { consoleQueriesContract } from "./console-queries.ts";
import { imageQueriesContract } from "./image-queries.ts";
import { proofQueriesContract } from "./proof-queries.ts";
import { querySuite } from "./query-suite.ts";
import { registryQueriesContract } from "./registry-queries.ts";
import { replicationQueriesContract } from "./replication-queries.ts";
import { steeringQueriesContract } from "./steering-queries.ts";

export function metadataQueriesContract(createDatabase: () => Promise<TestDatabase>): void {
  const suite = querySuite(createDatabase);
  registryQueriesContract(suite);
  accessQueriesContract(suite);
  auditQueriesContract(suite);
  imageQueriesContract(suite);
  replicationQueriesContract(suite);
  proofQueriesContract(suite);
  steeringQueriesContract(suite);
  consentQueriesContract(suite);
  backfillQueriesContract(suite);
  consoleQueriesContract(suite);

  // These run on every engine in the suites of their verbs, which have the worlds they need.
  const elsewhere = ["garbage.ts", "scrub.ts"];

  test("every query of the folder has run", async () => {
    const folder = `${import.meta.dir}/../../src/metadata/queries`;
    const names: string[] = [];
    for await (const file of new Bun.Glob("*.ts").scan(folder)) {
      if (elsewhere.includes(file)) continue;
      const exported: Record<string, unknown> = await import(`${folder}/${file}`);
      for (const [name, value] of Object.entries(exported)) {
        if (typeof value === "function") names.push(`${file}: ${name}`);
      }
    }
    const missing = names.filter((name) => !suite.called.has(name.replace(/^.*: /, "")));
    expect(missing).toEqual([]);
  });
}
