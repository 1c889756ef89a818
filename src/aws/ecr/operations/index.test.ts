import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import * as sdk from "@aws-sdk/client-ecr";
import { operations } from "./index.ts";

test("files, index and the SDK's commands name the same operations", () => {
  const files = readdirSync(import.meta.dir)
    .map((name) => name.replace(/\.ts$/, ""))
    .filter((name) => /^[A-Z][A-Za-z]+$/.test(name))
    .sort();
  const commands = Object.keys(sdk).flatMap((name) => /^([A-Z].*)Command$/.exec(name)?.[1] ?? []);
  expect(Object.keys(operations)).toEqual(files);
  expect(files).toEqual(commands.sort());
});
