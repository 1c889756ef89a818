import { expect, test } from "bun:test";
import { decideLifecycle, type LifecycleImage } from "./decide.ts";
import type { LifecycleRule } from "./policy.ts";

const day = 24 * 3600_000;
const now = 1000 * day;
const rule = (fields: Partial<LifecycleRule>): LifecycleRule => ({
  priority: 1,
  tagStatus: "any",
  tagPatterns: [],
  storageClass: "STANDARD",
  countType: "imageCountMoreThan",
  countNumber: 1,
  action: "expire",
  ...fields,
});
const image = (
  digest: string,
  ageDays: number,
  fields: Partial<LifecycleImage> = {},
): LifecycleImage => ({
  digest,
  tags: [],
  pushedAt: now - ageDays * day,
  pulledAt: undefined,
  archivedAt: undefined,
  activatedAt: undefined,
  storageClass: "STANDARD",
  subject: undefined,
  indexed: false,
  ...fields,
});
const taken = (rules: LifecycleRule[], images: LifecycleImage[]) =>
  decideLifecycle(rules, images, now).map(({ image, rulePriority, action }) =>
    [image.digest, rulePriority, action].join(" "),
  );

test("keeps the newest by count, and what is younger by age", () => {
  const images = [image("a", 3), image("b", 1), image("c", 2)];
  expect(taken([rule({ countNumber: 2 })], images)).toEqual(["a 1 expire"]);
  expect(taken([rule({ countType: "sinceImagePushed", countNumber: 2 })], images)).toEqual([
    "a 1 expire",
    "c 1 expire",
  ]);
});

test("what an earlier rule is about is not for a later one, and still counts there", () => {
  const prod = rule({ tagStatus: "tagged", tagPatterns: ["prod*"], countNumber: 2 });
  const images = [
    image("p1", 9, { tags: ["prod1"] }),
    image("p2", 8, { tags: ["prod2"] }),
    image("x1", 7, { tags: ["x1"] }),
    image("x2", 6, { tags: ["x2"] }),
  ];
  expect(taken([prod, rule({ priority: 2, countNumber: 2 })], images)).toEqual([]);
  expect(taken([prod, rule({ priority: 2, countNumber: 1 })], images)).toEqual(["x1 2 expire"]);
});

test("every pattern must match some tag", () => {
  const both = rule({
    tagStatus: "tagged",
    tagPatterns: ["a*", "b*"],
    countType: "sinceImagePushed",
  });
  const images = [image("1", 9, { tags: ["a1", "b1"] }), image("2", 9, { tags: ["a2"] })];
  expect(taken([both], images)).toEqual(["1 1 expire"]);
});

test("children of an index stay; referrers go with their subject and alone never", () => {
  const all = rule({ countType: "sinceImagePushed", tagStatus: "untagged" });
  const images = [
    image("child", 9, { indexed: true }),
    image("kept", 9, { tags: ["1"] }),
    image("signature of kept", 9, { subject: "kept" }),
    image("gone", 9),
    image("signature", 9, { subject: "gone" }),
    image("signature of the signature", 0, { subject: "signature" }),
  ];
  expect(taken([all], images).sort()).toEqual([
    "gone 1 expire",
    "signature 1 expire",
    "signature of the signature 1 expire",
  ]);
});

test("pulls, restores and the time in the archive count", () => {
  const idle = rule({ countType: "sinceImagePulled", countNumber: 5, action: "archive" });
  const images = [
    image("pulled", 9, { pulledAt: now - 2 * day }),
    image("idle", 9, { pulledAt: now - 6 * day }),
    image("never", 9),
    image("restored", 9, { activatedAt: now - day }),
  ];
  expect(taken([idle], images)).toEqual(["idle 1 archive", "never 1 archive"]);
  const old = rule({
    storageClass: "ARCHIVE",
    countType: "sinceImageTransitioned",
    countNumber: 90,
  });
  const archived = (digest: string, days: number) =>
    image(digest, 500, { storageClass: "ARCHIVE", archivedAt: now - days * day });
  expect(taken([old], [archived("new", 89), archived("old", 90), image("standard", 500)])).toEqual([
    "old 1 expire",
  ]);
});
