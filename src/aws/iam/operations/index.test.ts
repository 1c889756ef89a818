/** The files, the index and the names of the SDK's commands agree. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as iamSdk from "@aws-sdk/client-iam";
import * as stsSdk from "@aws-sdk/client-sts";
import {
  operations as stsOperations,
  unsignedOperations as stsUnsigned,
} from "../../sts/operations/index.ts";
import { operations as iamOperations } from "./index.ts";

const services = [
  { name: "iam", folder: import.meta.dir, operations: iamOperations, sdk: iamSdk },
  {
    name: "sts",
    folder: join(import.meta.dir, "../../sts/operations"),
    operations: { ...stsOperations, ...stsUnsigned },
    sdk: stsSdk,
  },
];

test.each(services)("$name: a file for each operation, named as the SDK's command", (service) => {
  const names = Object.keys(service.operations).sort();
  const files = readdirSync(service.folder)
    .filter((file) => !/^index\.|\.test\.ts$/.test(file))
    .map((file) => file.replace(/\.ts$/, ""));
  expect(files.sort()).toEqual(names);
  const commands = Object.keys(service.sdk);
  expect(names.filter((name) => !commands.includes(`${name}Command`))).toEqual([]);
});
