// The table of access: that it says what the contract says, and is whole.
#include "router/gateway/access_rules.h"

#include <algorithm>
#include <set>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

using enum Verb;
using enum ChannelClass;

constexpr AccessLevel kLevels[] = {AccessLevel::kCaller, AccessLevel::kWorker, AccessLevel::kAdmin};

Caller Of(AccessLevel level, std::vector<std::string> routes = {}) {
  Caller caller;
  caller.id = "k1";
  caller.tenant = "acme";
  caller.level = level;
  caller.routes = std::move(routes);
  return caller;
}

// The accesses that may, as letters: c(aller), w(orker), a(dmin).
std::string Who(Verb verb, std::string_view channel) {
  std::string who;
  for (const AccessLevel level : kLevels) {
    if (CheckAccess(Of(level), verb, channel).ok()) who += "cwa"[static_cast<size_t>(level)];
  }
  return who;
}

TEST_CASE("every verb has a rule, and no cell of the table stands twice") {
  for (const VerbRow& row : AllVerbs()) {
    INFO(row.name);
    CHECK(
        std::ranges::any_of(AllAccessRules(), [&](const AccessRule& rule) { return rule.verb == row.verb; }));
  }
  std::set<std::pair<Verb, ChannelClass>> cells;
  for (const AccessRule& rule : AllAccessRules()) CHECK(cells.emplace(rule.verb, rule.channel_class).second);
}

TEST_CASE("every class of channels has an example that is of it") {
  for (const ChannelClassRow& row : AllChannelClasses()) {
    INFO(row.name);
    CHECK(ClassOf(row.example, "acme") == row.channel_class);
  }
}

TEST_CASE("everyone sends queries to routes and to the jobs service; only workers journal") {
  CHECK(Who(kSendQuery, "openai_requests") == "cwa");
  CHECK(Who(kSendQuery, "llm_jobs") == "cwa");
  CHECK(Who(kSendQuery, "llm_journal") == "w");
  CHECK(Who(kSendQuery, "llm_workers").empty());
}

TEST_CASE("everyone may subscribe to streams of its own tenant only, and steer its own queries") {
  CHECK(Who(kSubscribe, "stream.acme.123") == "cwa");
  CHECK(Who(kSubscribe, "stream.other.123").empty());
  CHECK(Who(kSubscribe, "stream.acme2.123").empty());
  CHECK(Who(kSubscribe, "stream.acme").empty());
  CHECK(Who(kPublish, "llm_control") == "cwa");
  CHECK(Who(kPublish, "llm_control.w1") == "cwa");
  CHECK(Who(kSendQuery, "llm_control.w1") == "cwa");
}

TEST_CASE("only workers serve routes, take jobs, beat, publish to streams and speak for tenants") {
  CHECK(Who(kServeQueries, "openai_requests") == "w");
  CHECK(Who(kReceiveQueue, "openai_jobs") == "w");
  CHECK(Who(kPublish, "llm_workers") == "w");
  CHECK(Who(kPublish, "stream.acme.1") == "w");
  CHECK(Who(kPublish, "stream.other.1") == "w");
  CHECK(Who(kSubscribe, "llm_control") == "w");
  CHECK(Who(kKeepTenant, "") == "w");
}

TEST_CASE("other channels are everyone's, but for wildcards") {
  for (const Verb verb : {kSendQuery, kSendCommand, kServeQueries, kServeCommands, kPublish, kSubscribe,
                          kPublishStored, kSubscribeStored, kSendQueue, kReceiveQueue, kPurgeQueue}) {
    CHECK(Who(verb, "orders.new") == "cwa");
  }
  CHECK(Who(kSubscribe, "orders.*") == "a");
  CHECK(Who(kSubscribe, ">") == "a");
  CHECK(Who(kServeQueries, "orders.*.paid") == "a");
}

TEST_CASE("a wildcard that could take a route's queries is served by nobody") {
  for (const std::string_view pattern : {">", "*", "*.x", "orders.>", "orders.*", "openai*", "a.*_requests",
                                         "llm*.x", "*.openai_requests", "kubemq.*.internal.requests"}) {
    INFO(pattern);
    CHECK(Who(kServeQueries, pattern).empty());
  }
}

TEST_CASE("the names of ours are nobody's for other verbs") {
  for (const std::string_view channel : {"llm_anything", "stream", "streaming.data", "llmx"}) {
    for (const Verb verb : {kSendQuery, kServeQueries, kPublish, kSubscribe, kSendQueue, kSendCommand}) {
      INFO(channel);
      CHECK(Who(verb, channel).empty());
    }
  }
  CHECK(Who(kSendCommand, "openai_requests").empty());
  CHECK(Who(kPublish, "openai_jobs").empty());
}

TEST_CASE("only admins purge, see all channels and read the metrics") {
  CHECK(Who(kPurgeQueue, "openai_jobs") == "a");
  CHECK(Who(kSeeChannel, "stream.other.1") == "a");
  CHECK(Who(kReadMetrics, "") == "a");
}

TEST_CASE("reply-to never names a channel of ours, with keys or without") {
  for (const std::string_view channel :
       {"llm_jobs", "stream.acme.1", "openai_requests", "openai_jobs", "openai_dead", ">"}) {
    INFO(channel);
    CHECK(Who(kReplyTo, channel).empty());
    CHECK_FALSE(CheckAccess(Of(AccessLevel::kAll), kReplyTo, channel).ok());
  }
  CHECK(Who(kReplyTo, "results") == "cwa");
  CHECK(CheckAccess(Of(AccessLevel::kAll), kReplyTo, "results").ok());
}

TEST_CASE("a key with routes has the channels of these only, workers too") {
  for (const AccessLevel level : kLevels) {
    const Caller limited = Of(level, {"openai", "eu.claude"});
    const Verb verb = level == AccessLevel::kWorker ? kServeQueries : kSendQuery;
    CHECK(CheckAccess(limited, verb, "openai_requests").ok());
    CHECK(CheckAccess(limited, verb, "eu.claude_requests").ok());
    CHECK_FALSE(CheckAccess(limited, verb, "claude_requests").ok());
    CHECK_FALSE(CheckAccess(limited, kSendQueue, "claude_jobs").ok());
    CHECK(CheckAccess(limited, verb, "orders.new").ok());
  }
}

TEST_CASE("without keys everything is allowed but a looping reply-to and a tenant of one's own") {
  CHECK_FALSE(CheckAccess(Of(AccessLevel::kAll), kKeepTenant).ok());
  for (const VerbRow& verb : AllVerbs()) {
    if (verb.verb == kReplyTo || verb.verb == kKeepTenant) continue;
    for (const ChannelClassRow& row : AllChannelClasses())
      CHECK(CheckAccess(Of(AccessLevel::kAll), verb.verb, row.example).ok());
  }
}

TEST_CASE("a denial names the key's id, the verb, the channel and what would do") {
  const auto denied = CheckAccess(Of(AccessLevel::kCaller), kServeQueries, "openai_requests");
  CHECK(FaultOf(denied) == Fault::kPermissionDenied);
  CHECK(MessageOf(denied) ==
        "the key k1 may not serve queries on openai_requests: use a key with access worker");
  const auto elsewhere = CheckAccess(Of(AccessLevel::kCaller, {"openai"}), kSendQuery, "claude_requests");
  CHECK(
      MessageOf(elsewhere) ==
      "the key k1 may not send queries to claude_requests: its routes are openai; use a key for that route");
  CHECK_THAT(std::string(
                 MessageOf(CheckAccess(Of(AccessLevel::kCaller), kPublish, "llm\n" + std::string(500, 'x')))),
             Catch::Contains("no key may") && !Catch::Contains("\n"));
}

}  // namespace
}  // namespace llm_router
