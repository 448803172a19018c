// What both Node programs share: a line of JSON in is an operation, lines of JSON out are answers and news.
'use strict';
const readline = require('readline');

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function run(connect) {
  const [address, clientId, keepalive] = process.argv.slice(2);
  const operations = connect(address, clientId, Number(keepalive));
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const op = JSON.parse(line);
    try {
      say({ id: op.id, ...(await operations[op.op](op)) });
    } catch (error) {
      say({ id: op.id, raised: String(error) });
    }
  });
  lines.on('close', () => process.exit(0));
  say({ ready: true });
}

module.exports = { run, say };
