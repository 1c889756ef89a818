/** A push to a missing repository creates it by template, and is refused without one. */
import { expect, test } from "bun:test";
import { mediaTypes } from "../../src/image/media-type.ts";
import { ensureFirstTemplates } from "../../src/registry/creation-templates.ts";
import { expectError, indexOf, json, putManifest } from "../support/content.ts";
import { openRegistry, testAccount } from "../support/registry.ts";

test("the ROOT template of the first start lets a push create its repository", async () => {
  await using registry = await openRegistry({ settings: { createRepositoryOnPush: false } });
  const push = () =>
    putManifest(registry, "team/new", "1", json(indexOf([])), { mediaType: mediaTypes.ociIndex });
  await expectError(await push(), 404, "NAME_UNKNOWN");
  await ensureFirstTemplates(registry.context, { account: testAccount, templates: "root" });
  expect((await push()).status).toBe(201);
});
