#include "tests/contract/worker.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

// A query or event of this tag asks whether a subscription is in force; its value says which.
constexpr std::string_view kProbe = "contract-probe";
constexpr Milliseconds kProbeInterval(100);

bool Seen(const std::vector<std::string>& probes, const std::string& probe) {
  return std::find(probes.begin(), probes.end(), probe) != probes.end();
}

// A channel that `pattern` matches.
std::string SomeChannel(std::string pattern) {
  std::replace_if(pattern.begin(), pattern.end(), [](char c) { return c == '*' || c == '>'; }, 'p');
  return pattern;
}

Message Probe(const std::string& pattern, const std::string& probe) {
  Message message(SomeChannel(pattern), "probe");
  message.tags.emplace(kProbe, probe);
  return message;
}

Result Echo(Query query) {
  Reply reply;
  reply.executed = true;
  reply.message.id = std::move(query.message.id);
  reply.message.body = std::move(query.message.body);
  return reply;
}

Awaitable<Result> Handle(WorkerPtr worker, Query query) {
  if (const auto probe = query.message.tags.find(kProbe); probe != query.message.tags.end()) {
    worker->probes.push_back(probe->second);
    worker->changed->Notify();
    co_return Echo(std::move(query));
  }
  worker->got.push_back(query);
  worker->most = std::max(worker->most, ++worker->running);
  worker->changed->Notify();
  (void)co_await worker->changed->Until([&worker] { return !worker->blocked; }, std::chrono::hours(1));
  if (co_await Cancelled()) ++worker->cancelled;
  --worker->running;
  worker->changed->Notify();
  co_return worker->answer ? worker->answer(query) : Echo(std::move(query));
}

// Asks until this member of its group was asked itself.
Awaitable<bool> InForce(Broker& broker, const ServeOptions& options, const Worker& worker) {
  const std::string probe = NewId();
  for (const auto end = Now() + kPatience; Now() < end && !co_await Cancelled();) {
    (void)co_await broker.Request(Query(options.kind, Probe(options.pattern, probe), Now() + kProbeInterval));
    if (Seen(worker.probes, probe)) co_return true;
  }
  co_return false;
}

Awaitable<bool> InForce(Broker& broker, const std::string& pattern, Listener& listener) {
  const std::string probe = NewId();
  for (const auto end = Now() + kPatience; Now() < end && !co_await Cancelled();) {
    (void)broker.Publish(Probe(pattern, probe));
    const auto seen = [&] { return Seen(listener.probes, probe); };
    if (co_await listener.changed->Until(seen, kProbeInterval)) co_return true;
  }
  co_return false;
}

void Hear(Listener& listener, const Message& event) {
  if (const auto probe = event.tags.find(kProbe); probe != event.tags.end()) {
    listener.probes.push_back(probe->second);
  } else {
    listener.got.push_back(event);
  }
  listener.changed->Notify();
}

}  // namespace

Awaitable<SubscriptionPtr> Serve(Broker& broker, ServeOptions options, WorkerPtr worker) {
  auto served =
      co_await broker.Serve(options, [worker](Query query) { return Handle(worker, std::move(query)); });
  if (!served.ok()) FAIL(served.status().ToString());
  if (!broker.caps().confirms_subscribe) REQUIRE(co_await InForce(broker, options, *worker));
  co_return *std::move(served);
}

ServeOptions Queries(std::string pattern, std::string group, size_t capacity) {
  return ServeOptions(Kind::kQuery, std::move(pattern), std::move(group), capacity);
}

Awaitable<SubscriptionPtr> Listen(Broker& broker, std::string pattern, std::string group,
                                  ListenerPtr listener) {
  auto subscribed =
      co_await broker.Subscribe(pattern, group, [listener](const Message& event) { Hear(*listener, event); });
  if (!subscribed.ok()) FAIL(subscribed.status().ToString());
  if (!broker.caps().confirms_subscribe) REQUIRE(co_await InForce(broker, pattern, *listener));
  co_return *std::move(subscribed);
}

Query Ask(std::string channel, std::string body, Milliseconds timeout) {
  return Query(Kind::kQuery, Message(std::move(channel), std::move(body)), Now() + timeout);
}

size_t Calls::Start(Broker& broker, Query query) {
  const size_t call = state_->results.size();
  state_->results.emplace_back();
  state_->ids.push_back(tasks_.Spawn(Run(state_, call, broker, std::move(query))));
  return call;
}

Awaitable<void> Calls::Run(std::shared_ptr<State> state, size_t call, Broker& broker, Query query) {
  auto result = co_await broker.Request(std::move(query));
  state->results[call] = std::move(result);
  ++state->ended;
  state->changed->Notify();
}

Awaitable<bool> Calls::Join() {
  return state_->changed->Until([state = state_] { return state->ended == state->results.size(); });
}

Awaitable<bool> Calls::Ended(size_t call) {
  return state_->changed->Until([state = state_, call] { return state->results[call].has_value(); });
}

}  // namespace llm_router::test
