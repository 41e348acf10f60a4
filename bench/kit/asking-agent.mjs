/** An agent that asks its endpoint again and again, tells how long an answer took, and waits: `asking-agent.mjs COUNT`. */
const { ANTHROPIC_BASE_URL: base, ANTHROPIC_API_KEY: key } = process.env;
console.log('up');
const times = [];
for (let n = 0; n < Number(process.argv[2]); n += 1) {
  const begun = performance.now();
  const answer = await fetch(`${base}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key ?? '', 'content-type': 'application/json' },
    body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Do it.' }] }),
  });
  await answer.text();
  times.push(performance.now() - begun);
}
// The first of them found nothing warm.
const rest = times.slice(Math.floor(times.length / 4)).sort((a, b) => a - b);
console.log(`took ${rest[Math.floor(rest.length / 2)]} ms`);
setInterval(() => {}, 1_000);
