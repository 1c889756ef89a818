/**
 * `npm run build`: one executable, dist/portolan, that needs nothing installed.
 *
 *     npm run build -- --target linux-arm64 --out dist/portolan-arm64
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    /** As Bun names them: linux-x64, linux-arm64, linux-x64-musl, darwin-arm64, windows-x64 … */
    target: { type: "string" },
    out: { type: "string", default: "dist/portolan" },
  },
});

function run(command: readonly string[]): void {
  const { exitCode } = Bun.spawnSync([...command], { stdout: "inherit", stderr: "inherit" });
  if (exitCode !== 0) process.exit(exitCode);
}

run([process.execPath, "console/build.ts", "--small"]);
run([
  ...[process.execPath, "build", "src/main.ts", "--compile", "--outfile", values.out],
  // The console's pages, found by their name when somebody asks for them.
  ...["console/dist/console.archive", "--asset-naming=[name].[ext]"],
  // Neither a .env nor a bunfig.toml of the directory it is started in may change what it does.
  ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
  "--minify-syntax",
  "--sourcemap=linked",
  ...(values.target === undefined ? [] : [`--target=bun-${values.target}`]),
]);
// The bundler maps the archive as if it were a script.
rmSync("dist/console.js.map", { force: true });
const mebibytes = Bun.file(values.out).size / 1024 ** 2;
console.log(`${values.out}: ${mebibytes.toFixed(0)} MiB`);
