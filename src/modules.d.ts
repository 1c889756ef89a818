/** Migrations are imported as text. */
declare module "*.sql" {
  const text: string;
  export default text;
}

/** Programs of threads are imported as text. */
declare module "*.worker.js" {
  const text: string;
  export default text;
}
