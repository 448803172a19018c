// kubemq-js 1.2.3, driven by lines of JSON; ../README.md says which. This version cannot send tags (it calls
// Map.set() with the whole map), so there are none here.
'use strict';
const { CommandsClient, EventsClient, QueriesClient, QueuesClient, Utils } = require('kubemq-js');
const { run, say } = require('./program');

run((address, clientId) => {
  const options = { address, clientId, authToken: process.env.SDK_KEY };
  const clients = {
    query: new QueriesClient(options),
    command: new CommandsClient(options),
    event: new EventsClient(options),
  };
  const queues = new QueuesClient(options);
  const bodies = (response) => {
    if (response.isError) throw new Error(response.error);
    return { bodies: response.messages.map((message) => Buffer.from(message.body).toString()) };
  };
  const asked = (op) => ({
    channel: op.channel,
    clientId,
    maxNumberOfMessages: op.max,
    waitTimeoutSeconds: op.seconds || 1,
  });
  const settle = (op, taken) => {
    if (op.then === 'requeue') return taken.resendToChannel(op.to);
    return op.then === 'ack' ? taken.ack() : taken.reject();
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
    enqueue: async (op) => {
      const result = await queues.send({
        channel: op.channel,
        clientId,
        metadata: '',
        body: Utils.stringToBytes(op.body),
        policy: { delaySeconds: op.delay || 0, maxReceiveCount: op.max || 0, maxReceiveQueue: op.dead || '' },
      });
      return { error: result.error };
    },
    dequeue: async (op) => {
      let answer = {};
      let failure = null;
      const wanted = { channel: op.channel, clientId, visibilitySeconds: 60, waitTimeoutSeconds: op.seconds };
      // Done when the server ends the stream: after what was asked for, or because nothing came.
      await queues.transaction(wanted, (error, taken) => {
        if (error && !String(error).includes('Error 138')) failure = error;
        if (!taken) return;
        const { body, attributes } = taken.message;
        answer = {
          body: Buffer.from(body).toString(),
          count: attributes.receiveCount,
          rerouted: attributes.reRouted,
          tags: {},
        };
        settle(op, taken).catch((raised) => { if (raised) failure = raised; });
      });
      if (failure) throw failure;
      return answer;
    },
    pull: async (op) => bodies(await queues.pull(asked(op))),
    peek: async (op) => bodies(await queues.peek(asked(op))),
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
