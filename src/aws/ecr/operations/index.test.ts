import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import * as sdk from "@aws-sdk/client-ecr";
import { operations } from "./index.ts";

test("files, index and the SDK's commands name the same operations", () => {
  const files = readdirSync(import.meta.dir)
    .filter((name) => !/^index\.ts$|\.test\.ts$/.test(name))
    .map((name) => name.replace(/\.ts$/, ""));
  expect(Object.keys(operations)).toEqual(files.sort());
  for (const name of files) expect(sdk).toHaveProperty(`${name}Command`);
});
