// @grpc/grpc-js over our own proto, no SDK between, driven by lines of JSON; ../README.md says which.
'use strict';
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { run, say } = require('./program');

run((address, clientId, keepalive) => {
  const definition = loader.loadSync(process.env.KUBEMQ_PROTO, { keepCase: true, enums: String, defaults: true });
  const { kubemq } = grpc.loadPackageDefinition(definition);
  const options = keepalive
    ? { 'grpc.keepalive_time_ms': keepalive * 1000, 'grpc.keepalive_permit_without_calls': 1 }
    : {};
  const stub = new kubemq.kubemq(address, grpc.credentials.createInsecure(), options);
  const key = new grpc.Metadata();
  if (process.env.SDK_KEY) key.set('authorization', process.env.SDK_KEY);
  const unary = (method, message) =>
    new Promise((resolve, reject) =>
      stub[method](message, key, (error, reply) => (error ? reject(error) : resolve(reply))));
  const internal = (verb, type, channel) =>
    unary('SendRequest', {
      RequestTypeData: 'Query',
      ClientID: clientId,
      Channel: 'kubemq.cluster.internal.requests',
      Metadata: verb,
      Timeout: 10000,
      Tags: { channel_type: type, client_id: clientId, channel, channel_search: channel },
    });
  const request = (type) => async (op) => {
    const reply = await unary('SendRequest', {
      RequestTypeData: type,
      ClientID: clientId,
      Channel: op.channel,
      Body: Buffer.from(op.body),
      Timeout: op.seconds * 1000,
      Tags: op.tags || {},
    });
    return { executed: reply.Executed, error: reply.Error, body: reply.Body.toString(), tags: reply.Tags };
  };
  const receive = async (op, isPeak) => {
    const reply = await unary('ReceiveQueueMessages', {
      RequestID: 'r',
      ClientID: clientId,
      Channel: op.channel,
      MaxNumberOfMessages: op.max,
      WaitTimeSeconds: op.seconds || 1,
      IsPeak: isPeak,
    });
    if (reply.IsError) throw new Error(reply.Error);
    return { bodies: reply.Messages.map((message) => message.Body.toString()) };
  };
  // One Get and what is to become of its message, on a stream of its own.
  const settlements = { ack: 'AckRange', nack: 'NAckRange', requeue: 'ReQueueRange' };
  const dequeue = (op) =>
    new Promise((resolve, reject) => {
      const stream = stub.QueuesDownstream(key);
      let answer = {};
      stream.on('data', (reply) => {
        if (reply.IsError) return reject(new Error(reply.Error));
        for (const message of reply.Messages) {
          const { ReceiveCount, ReRouted, Sequence } = message.Attributes;
          answer = { body: message.Body.toString(), count: ReceiveCount, rerouted: ReRouted, tags: message.Tags };
          stream.write({
            RequestID: 's',
            ClientID: clientId,
            RequestTypeData: settlements[op.then],
            RefTransactionId: reply.TransactionId,
            SequenceRange: [Sequence],
            ReQueueChannel: op.to || '',
          });
        }
        stream.end();
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(answer));
      stream.write({
        RequestID: 'g',
        ClientID: clientId,
        RequestTypeData: 'Get',
        Channel: op.channel,
        MaxItems: 1,
        WaitTimeout: op.seconds * 1000,
      });
    });
  return {
    enqueue: async (op) => {
      const result = await unary('SendQueueMessage', {
        ClientID: clientId,
        Channel: op.channel,
        Body: Buffer.from(op.body),
        Tags: op.tags || {},
        Policy: { DelaySeconds: op.delay || 0, MaxReceiveCount: op.max || 0, MaxReceiveQueue: op.dead || '' },
      });
      return { error: result.Error };
    },
    dequeue,
    pull: (op) => receive(op, false),
    peek: (op) => receive(op, true),
    ping: async () => {
      const info = await unary('Ping', {});
      return { host: info.Host, version: info.Version };
    },
    query: request('Query'),
    command: request('Command'),
    event: async (op) => {
      await unary('SendEvent', {
        ClientID: clientId,
        Channel: op.channel,
        Body: Buffer.from(op.body),
        Tags: op.tags || {},
      });
      return {};
    },
    serve: async (op) => {
      const stream = stub.SubscribeToRequests({
        SubscribeTypeData: op.kind === 'query' ? 'Queries' : 'Commands',
        ClientID: clientId,
        Channel: op.channel,
        Group: op.group,
      }, key);
      stream.on('data', (message) => {
        const text = message.Body.toString();
        say({ handled: text, kind: op.kind });
        unary('SendResponse', {
          ClientID: clientId,
          RequestID: message.RequestID,
          ReplyChannel: message.ReplyChannel,
          Body: Buffer.from(op.answer + text),
          Timestamp: Date.now() * 1e6,
          Executed: true,
        }).catch((error) => say({ trouble: String(error) }));
      });
      stream.on('error', (error) => say({ trouble: String(error) }));
      return {};
    },
    subscribe: async (op) => {
      const stream = stub.SubscribeToEvents({
        SubscribeTypeData: 'Events',
        ClientID: clientId,
        Channel: op.channel,
        Group: op.group,
      }, key);
      stream.on('data', (message) => say({ event: message.Body.toString() }));
      stream.on('error', (error) => say({ trouble: String(error) }));
      return {};
    },
    channels: async (op) => {
      const reply = await internal(op.verb === 'list' ? 'list-channels' : `${op.verb}-channel`, op.type, op.channel);
      if (!reply.Executed || reply.Error !== '') throw new Error(reply.Error);
      return op.verb === 'list' ? { names: JSON.parse(reply.Body.toString()).map((row) => row.name) } : {};
    },
  };
});
