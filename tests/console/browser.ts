/** A real Chromium, and what every page in it has to keep to. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Credentials, ServerProcess } from "../support/server-process.ts";

const candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const onPath = Bun.which("chromium") ?? Bun.which("google-chrome");
const executablePath = candidates.find((path) => Bun.which(path) !== null) ?? onPath;
export const haveChromium = executablePath !== null;

const root = join(import.meta.dir, "..", "..");
const axe = readFileSync(join(root, "node_modules", "axe-core", "axe.min.js"), "utf8");

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath !== null && { executablePath }),
    args: [
      // As root there is no sandbox; nothing but our own pages is opened.
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

export interface Visitor extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained of: refused scripts and styles, and errors of the page. */
  readonly complaints: readonly string[];
  open(path: string): Promise<void>;
  signIn(credentials: Credentials): Promise<void>;
  /** @throws with the rules that are broken, and where */
  checkAccessibility(): Promise<void>;
  /** For the guide, when pictures are wanted. */
  picture(name: string): Promise<void>;
}

export interface VisitOptions {
  readonly theme?: "light" | "dark";
  readonly language?: string;
  readonly width?: number;
}

/** Somebody with a browser of their own. */
export async function visit(
  browser: Browser,
  server: ServerProcess,
  { theme = "light", language = "en-US", width = 1280 }: VisitOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: theme,
    locale: language,
    timezoneId: "America/Sao_Paulo",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    // Answers of refusal are what some tests are about.
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) {
      complaints.push(text);
    }
  });
  return {
    page,
    context,
    complaints,
    async open(path) {
      await page.goto(`${server.endpoint}/console${path}`);
    },
    async signIn({ accessKeyId, secretAccessKey }) {
      await page.goto(`${server.endpoint}/`);
      await page.getByLabel("Access key id").fill(accessKeyId);
      await page.getByLabel("Secret access key").fill(secretAccessKey);
      await page.keyboard.press("Enter");
      await page.locator("#shell-header").waitFor();
    },
    async checkAccessibility() {
      // Evaluated by the debugger, which the policy of the page does not concern.
      await page.evaluate(axe);
      const broken = await page.evaluate(async () => {
        const { violations } = await (
          window as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          }
        ).axe.run();
        return violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 300)).join("\n  ")}`,
        );
      });
      if (broken.length > 0) throw new Error(`not accessible:\n${broken.join("\n")}`);
    },
    async picture(name) {
      if (!process.env.PORTOLAN_SCREENSHOTS) return;
      const path = join(root, "docs", "guides", "images", `${name}.png`);
      await page.screenshot({ path, animations: "disabled" });
    },
    async [Symbol.asyncDispose]() {
      await context.close();
    },
  };
}
