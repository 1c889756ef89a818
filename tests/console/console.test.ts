/** The console in a browser, as people use it, against three running regions. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { requirement } from "../support/require.ts";
import { waitUntil } from "../support/wait-until.ts";
import { haveChromium, type Visitor, visit } from "./browser.ts";
import { pushIndexTo, pushTo } from "./push.ts";
import { startWorld, type World } from "./world.ts";

const available = requirement("chromium", haveChromium, "Chromium (apt-get install chromium)");
const hostile = `<img src=x onerror="document.title='owned'"><script>alert(1)</script>`;

describe.skipIf(!available)("the console", () => {
  let world: World;
  let admin: Visitor;
  let digest: string;

  beforeAll(async () => {
    world = await startWorld();
    const { account, credentials } = world.installation;
    const destinations = ["eu-west-1", "sa-east-1"].map((region) => ({
      region,
      registryId: account,
    }));
    const replicationConfiguration = { rules: [{ destinations }] };
    await world.perform("ecr", "PutReplicationConfiguration", { replicationConfiguration });
    const config = {
      created: "2026-11-01T10:00:00Z",
      architecture: "amd64",
      os: "linux",
      config: {
        Cmd: ["/bin/serve", hostile],
        Env: ["PATH=/usr/bin"],
        Labels: { maintainer: hostile },
      },
      history: [
        { created: "2026-11-01T10:00:00Z", created_by: "COPY serve /bin/serve" },
        { created: "2026-11-01T10:00:00Z", created_by: hostile, empty_layer: true },
      ],
    };
    const amd64 = await pushTo(world.here, {
      ...{ repository: "team/app", tag: "1.0-amd64", config, annotations: { note: hostile } },
      layers: ["base layer", "application"],
    });
    digest = amd64.digest;
    const arm64 = await pushTo(world.here, { repository: "team/app", layers: ["base for arm"] });
    await pushIndexTo(world.here, "team/app", "1.0", [
      { ...amd64, platform: { os: "linux", architecture: "amd64" } },
      { ...arm64, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
    ]);
    const artifact = { repository: "team/app", subject: amd64, annotations: { by: hostile } };
    const artifactType = "application/vnd.example.signature";
    const signature = await pushTo(world.here, { ...artifact, artifactType, layers: ["signed"] });
    const witness = { ...artifact, subject: signature, artifactType: "application/spdx+json" };
    await pushTo(world.here, { ...witness, layers: ["a signature has an SBOM"] });
    for (let i = 0; i < 30; i++) {
      await world.perform("ecr", "CreateRepository", { repositoryName: `many/service-${i + 10}` });
    }
    admin = await visit(world.browser, world.here);
    await admin.signIn(credentials);
  });
  afterAll(async () => {
    expect(admin.complaints).toEqual([]);
    await admin[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** Everything that is to be seen of a page, light and dark. */
  const views: readonly [name: string, path: () => string, text: string][] = [
    ["chart", () => "/", "Routes"],
    ["repositories", () => "/repositories", "many/service-10"],
    ["images", () => "/repositories/team/app", "1.0-amd64"],
    ["image", () => `/repositories/team/app/-/${digest}`, "Arrived"],
    ["not-found", () => "/nothing", "There is no such page"],
    ["empty-repository", () => "/repositories/many/service-10", "Push the first one"],
  ];
  for (const theme of ["light", "dark"] as const) {
    for (const [name, path, text] of views) {
      test(`${name} is accessible, ${theme}, and looks as in the guide`, async () => {
        await using visitor = await visit(world.browser, world.here, { theme });
        await visitor.signIn(world.installation.credentials);
        await visitor.open(path());
        await visitor.page.getByText(text, { exact: false }).first().waitFor();
        await visitor.page.getByText("Loading…").first().waitFor({ state: "detached" });
        await visitor.picture(theme === "light" ? name : `${name}-dark`);
        await visitor.checkAccessibility();
        expect(visitor.complaints).toEqual([]);
      });
    }
    test(`signing in is accessible, ${theme}`, async () => {
      await using visitor = await visit(world.browser, world.here, { theme });
      await visitor.open("/");
      await visitor.page.getByLabel("Access key id").waitFor();
      await visitor.picture(theme === "light" ? "sign-in" : "sign-in-dark");
      await visitor.checkAccessibility();
      expect(visitor.complaints).toEqual([]);
    });
  }

  test("a wrong secret is refused in words, and leaves nothing behind", async () => {
    await using visitor = await visit(world.browser, world.here);
    await visitor.open("/");
    await visitor.page.getByRole("button", { name: "Sign in" }).click();
    expect(await visitor.page.getByText("Required").count()).toBe(2);
    await visitor.page.getByLabel("Access key id").fill("AKIANOBODY0000000000");
    await visitor.page.getByLabel("Secret access key").fill("not-the-secret");
    await visitor.page.keyboard.press("Enter");
    await visitor.page.getByText("The access key is unknown").first().waitFor();
    expect(await visitor.context.cookies()).toEqual([]);
    const stored = await visitor.page.evaluate(() => JSON.stringify({ ...localStorage }));
    expect(stored).not.toContain("secret");
    expect(visitor.page.url()).not.toContain("AKIA");
  });

  test("a repository is created by keyboard alone, found, and deleted by typing its name", async () => {
    const { page } = admin;
    await admin.open("/repositories");
    await page.getByRole("button", { name: "Create repository" }).first().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByLabel("Name").waitFor();
    await page.keyboard.type("web/shop");
    await page.keyboard.press("Enter");
    await page.getByText("Repository web/shop was created").waitFor();
    await page.getByLabel("Find repositories by name").fill("shop");
    await page.getByRole("row", { name: /web\/shop/ }).waitFor();
    await page.getByText("(1)").waitFor();
    await page.getByRole("radio", { name: "Select web/shop" }).check({ force: true });
    await page.getByRole("button", { name: "Delete" }).first().click();
    const dialog = page.getByRole("dialog");
    const confirm = dialog.getByRole("button", { name: "Delete" });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel("To confirm").fill("web/shop");
    await admin.checkAccessibility();
    await confirm.click();
    await page.getByText("Repository web/shop was deleted").waitFor();
    await page.getByText("No name contains this").waitFor();
  });

  test("a name that cannot be is refused by the server, in the dialog", async () => {
    const { page } = admin;
    await admin.open("/repositories");
    await page.getByRole("button", { name: "Create repository" }).first().click();
    await page.getByRole("dialog").getByLabel("Name").fill("Not/A/Name");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByText("must satisfy").waitFor();
  });

  test("the second page of repositories comes from the server", async () => {
    const { page } = admin;
    await admin.open("/repositories");
    await page.getByText("many/service-10").waitFor();
    expect(await page.getByText("team/app", { exact: true }).count()).toBe(0);
    await page.getByRole("button", { name: "Next page" }).click();
    await page.getByText("team/app", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Previous page" }).click();
    await page.getByText("many/service-10").waitFor();
  });

  test("what clients wrote is shown as text and does nothing", async () => {
    const { page } = admin;
    await admin.open(`/repositories/team/app/-/${digest}`);
    await page.getByRole("tab", { name: "Annotations" }).click();
    await page.getByText(hostile).waitFor();
    await page.getByRole("tab", { name: "Configuration" }).click();
    await page.getByText(hostile).first().waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByText(hostile).waitFor();
    await page.getByRole("tab", { name: "Referrers" }).click();
    await page.getByRole("button", { name: /vnd.example.signature/ }).click();
    await page.getByText(hostile).waitFor();
    // And what refers to the signature, one deeper.
    await page.getByRole("button", { name: /spdx/ }).waitFor();
    expect(await page.title()).toContain("team/app");
    expect(await page.locator("img[src=x]").count()).toBe(0);
    await admin.open(`/repositories/${encodeURIComponent(hostile)}`);
    await page.getByText("This did not work").waitFor();
    expect(await page.locator("img[src=x]").count()).toBe(0);
  });

  test("an index shows its platforms", async () => {
    const { page } = admin;
    await admin.open("/repositories/team/app");
    await page.getByRole("link", { name: "1.0", exact: true }).click();
    await page.getByText("linux/arm64/v8").waitFor();
  });

  test("an image that is pushed appears by itself, and arrives in two regions", async () => {
    const { page } = admin;
    await admin.open("/repositories/many/service-11");
    await page.getByText("Push the first one").waitFor();
    await pushTo(world.here, { repository: "many/service-11", tag: "fresh" });
    await page.getByRole("link", { name: "fresh" }).click();
    const places = page.getByRole("table", { name: "Where it is" });
    for (const region of ["eu-west-1", "sa-east-1"]) {
      await places.getByRole("row", { name: new RegExp(`${region}.*Arrived`) }).waitFor();
    }
  });

  test("a region that dies is seen on the chart, with what waits for it, and seen to catch up", async () => {
    const { page } = admin;
    await admin.open("/");
    const routes = page.getByRole("table", { name: "Routes" });
    await routes.getByRole("row", { name: /sa-east-1/ }).waitFor();
    await world.installation.region("sa-east-1").kill();
    let pushed = 0;
    const unreachable = routes.getByRole("row", { name: /sa-east-1.*Unreachable.*since/ });
    await waitUntil("the region to be missed", async () => {
      await pushTo(world.here, { repository: "many/service-12", tag: `t${pushed++}` });
      return (await unreachable.count()) === 1;
    });
    await unreachable
      .getByText(/[0-9]+ images?/)
      .first()
      .waitFor();
    await admin.picture("chart-unreachable");
    await admin.checkAccessibility();
    await world.installation.region("sa-east-1").start();
    await routes.getByRole("row", { name: /sa-east-1.*(?:Up to date|Flowing)/ }).waitFor();
  });

  test("the server's end is told, and its return is noticed", async () => {
    await using visitor = await visit(world.browser, world.installation.region("eu-west-1"));
    await visitor.signIn(world.installation.credentials);
    await visitor.open("/");
    await visitor.page.getByText("Routes").first().waitFor();
    await world.installation.region("eu-west-1").kill();
    await visitor.page.getByText("The server cannot be reached").waitFor();
    await world.installation.region("eu-west-1").start();
    await visitor.page.getByText("The server cannot be reached").waitFor({ state: "detached" });
  });

  test("a reader sees, and is told what is missing for more", async () => {
    const actions = ["ecr:Describe*", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    const reader = await world.user("reader", actions);
    await using visitor = await visit(world.browser, world.here);
    const { page } = visitor;
    await visitor.signIn(reader);
    await visitor.open("/repositories");
    await page.getByRole("button", { name: "Create repository" }).first().click();
    await page.getByRole("dialog").getByLabel("Name").fill("not/mine");
    await page.keyboard.press("Enter");
    await page.getByText("You may not do this").waitFor();
    await page.getByText("ecr:CreateRepository", { exact: false }).first().waitFor();
    await visitor.checkAccessibility();
    await visitor.picture("refused");
    await visitor.open(`/repositories/team/app/-/${digest}`);
    await page.getByRole("table", { name: "Where it is" }).waitFor();
  });

  test("somebody who may do almost nothing gets a refusal on every page, and no page breaks", async () => {
    const stranger = await world.user("stranger", ["sts:GetCallerIdentity"]);
    await using visitor = await visit(world.browser, world.here);
    await visitor.signIn(stranger);
    for (const [path, action] of [
      ["/", "ecr:DescribeRegistry"],
      ["/repositories", "ecr:DescribeRepositories"],
      ["/repositories/team/app", "ecr:DescribeImages"],
      [`/repositories/team/app/-/${digest}`, "ecr:DescribeImages"],
    ] as const) {
      await visitor.open(path);
      await visitor.page.getByText(action, { exact: false }).first().waitFor();
    }
    await visitor.checkAccessibility();
    expect(visitor.complaints).toEqual([]);
  });

  test("signing out everywhere ends the session of another browser at once", async () => {
    const leaver = await world.user("leaver", ["ecr:*"]);
    await using one = await visit(world.browser, world.here);
    await using two = await visit(world.browser, world.here);
    await one.signIn(leaver);
    await two.signIn(leaver);
    await one.page.getByRole("button", { name: "user/leaver" }).click();
    await one.page.getByRole("menuitem", { name: "Sign out everywhere" }).click();
    await one.page.getByLabel("Access key id").waitFor();
    await two.open("/repositories");
    await two.page.getByLabel("Access key id").waitFor();
  });

  test("it speaks Portuguese, fits a narrow screen, and keeps what was chosen", async () => {
    await using visitor = await visit(world.browser, world.here, {
      ...{ language: "pt-BR", width: 400, theme: "dark" },
    });
    const { page } = visitor;
    await visitor.open("/");
    await page.getByLabel("ID da chave de acesso").fill(world.installation.credentials.accessKeyId);
    const secret = page.getByLabel("Chave de acesso secreta");
    await secret.fill(world.installation.credentials.secretAccessKey);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Rotas" }).waitFor();
    await visitor.checkAccessibility();
    await visitor.picture("chart-narrow");
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBeLessThanOrEqual(0);
    const stored = JSON.stringify({ language: "en", theme: "light", density: "compact" });
    await page.evaluate((value) => localStorage.setItem("portolan-preferences", value), stored);
    await visitor.open("/repositories");
    await page.getByRole("heading", { name: /Repositories/ }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("en");
    await visitor.checkAccessibility();
  });
});
