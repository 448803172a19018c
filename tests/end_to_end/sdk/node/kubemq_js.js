// kubemq-js 1.2.3, driven by lines of JSON; ../README.md says which. This version cannot send tags (it calls
// Map.set() with the whole map), so there are none here.
'use strict';
const { CommandsClient, EventsClient, QueriesClient, Utils } = require('kubemq-js');
const { run, say } = require('./program');

run((address, clientId) => {
  const options = { address, clientId, authToken: process.env.SDK_KEY };
  const clients = {
    query: new QueriesClient(options),
    command: new CommandsClient(options),
    event: new EventsClient(options),
  };
  const request = (kind) => async (op) => {
    const reply = await clients[kind].send({
      channel: op.channel,
      metadata: '',
      body: Utils.stringToBytes(op.body),
      timeout: op.seconds * 1000,
    });
    return {
      executed: reply.executed,
      error: reply.error || '',
      body: reply.body === undefined ? '' : Buffer.from(reply.body).toString(),
      tags: reply.tags === undefined ? {} : Object.fromEntries(reply.tags.entries()),
    };
  };
  return {
    ping: async () => clients.query.ping(),
    query: request('query'),
    command: request('command'),
    event: async (op) => {
      await clients.event.send({
        channel: op.channel,
        metadata: '',
        body: Utils.stringToBytes(op.body),
        });
      return {};
    },
    serve: async (op) => {
      const client = clients[op.kind];
      await client.subscribe({ channel: op.channel, group: op.group }, (error, message) => {
        if (error) return say({ trouble: String(error) });
        const text = Buffer.from(message.body).toString();
        say({ handled: text, kind: op.kind });
        client.response({
          id: message.id,
          replyChannel: message.replyChannel,
          clientId,
          timestamp: Date.now(),
          executed: true,
          error: '',
          metadata: '',
          body: Utils.stringToBytes(op.answer + text),
        });
      });
      return {};
    },
    subscribe: async (op) => {
      await clients.event.subscribe({ channel: op.channel, group: op.group }, (error, message) =>
        say(error ? { trouble: String(error) } : { event: Buffer.from(message.body).toString() }));
      return {};
    },
  };
});
