/** A prompt as an argument of a program. */

/** A prompt of more bytes does not go into an argument. */
const maxBytes = 100 * 1024;

/** The prompt as an argument; a sentence that names its file when it is too long for one. */
export function promptArgument(prompt: string, promptFile: string): string {
  if (Buffer.byteLength(prompt) > maxBytes) {
    return `Your instructions are in the file ${promptFile}. Read all of it and do what it says.`;
  }
  // An argument cannot hold NUL.
  return prompt.replaceAll('\0', '\uFFFD');
}
