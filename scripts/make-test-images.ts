/**
 * Makes the images that `npm run test:clients` pushes and pulls, unless they are there:
 *
 *     npx bun scripts/make-test-images.ts
 */
import { testImages } from "../tests/support/images.ts";

const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`;
const images = await testImages((line) => console.log(`${seconds()}  ${line}`));
console.log(`${seconds()}  ready in ${images.directory}`);
