/** Which files are tests, by the names that languages and their test runners use. */

const names = [
  /(?:^|[._-])(?:test|tests|spec|specs)\.[^./]+$/i,
  /^test_[^/]*\.[^./]+$/i,
  /(?:Test|Tests|Spec|IT)\.(?:java|kt|kts|scala|cs|fs|vb|swift|php|groovy)$/,
  /\.(?:bats|t)$/,
  /_test\.go$/,
];
const folders = /(?:^|\/)(?:test|tests|__tests__|spec|specs|e2e)\//i;
const others = /\.(?:md|txt|snap|json|ya?ml|lock|png|svg)$/i;

/** Whether a path of a repository is a test: by its name, or because it is code in a folder of tests. */
export function isTestFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (others.test(name)) return false;
  return folders.test(path) || names.some((each) => each.test(name));
}
