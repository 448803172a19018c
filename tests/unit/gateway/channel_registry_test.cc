#include "router/gateway/channel_registry.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;

TEST_CASE("a created channel is listed at once without traffic, and no more once deleted") {
  ChannelRegistry channels;
  channels.Create(ChannelType::kQueues, "orders.eu");
  const Json list = Json::parse(channels.List(ChannelType::kQueues, ""));
  REQUIRE(list.size() == 1);
  CHECK(list[0]["name"] == "orders.eu");
  CHECK(list[0]["type"] == "queues");
  CHECK(list[0]["isActive"] == false);
  CHECK(list[0]["lastActivity"].is_number_integer());
  for (const char* side : {"incoming", "outgoing"}) {
    for (const char* key : {"messages", "volume", "waiting", "expired", "delayed", "responses"}) {
      CHECK(list[0][side][key] == 0);
    }
  }
  channels.Delete(ChannelType::kQueues, "orders.eu");
  CHECK(channels.List(ChannelType::kQueues, "") == "[]");
}

TEST_CASE("types are apart, and a search finds names by any part of them") {
  ChannelRegistry channels;
  channels.Create(ChannelType::kEvents, "a.one");
  channels.Create(ChannelType::kEvents, "b.two");
  channels.Create(ChannelType::kQueries, "a.one");
  CHECK(Json::parse(channels.List(ChannelType::kEvents, "")).size() == 2);
  CHECK(Json::parse(channels.List(ChannelType::kEvents, "a.")).size() == 1);
  CHECK(Json::parse(channels.List(ChannelType::kEvents, "b.two")).size() == 1);
  CHECK(channels.List(ChannelType::kEvents, "none") == "[]");
  CHECK(channels.List(ChannelType::kCommands, "") == "[]");
}

TEST_CASE("traffic is counted and subscribers make a channel active, by pattern too") {
  ChannelRegistry channels;
  channels.Sent(ChannelType::kQueries, "a.b", 10);
  channels.Delivered(ChannelType::kQueries, "a.b", 10);
  channels.Answered(ChannelType::kQueries, "a.b");
  channels.Subscribed(ChannelType::kQueries, "a.*");
  const Json channel = Json::parse(channels.List(ChannelType::kQueries, ""))[0];
  CHECK(channel["isActive"] == true);
  CHECK(channel["incoming"]["messages"] == 1);
  CHECK(channel["incoming"]["volume"] == 10);
  CHECK(channel["outgoing"]["responses"] == 1);
  CHECK(channels.HasSubscriber(ChannelType::kQueries, "a.x"));
  CHECK_FALSE(channels.HasSubscriber(ChannelType::kQueries, "a"));
  CHECK_FALSE(channels.HasSubscriber(ChannelType::kQueries, "a.b.c"));
  channels.Subscribed(ChannelType::kQueries, "r.>");
  CHECK(channels.HasSubscriber(ChannelType::kQueries, "r.s.t"));
  CHECK_FALSE(channels.HasSubscriber(ChannelType::kQueries, "r"));
  channels.Unsubscribed(ChannelType::kQueries, "a.*");
  CHECK_FALSE(channels.HasSubscriber(ChannelType::kQueries, "a.b"));
}

TEST_CASE("a stranger who names ever new channels makes the oldest forgotten, no more") {
  ChannelRegistry channels;
  for (size_t i = 0; i < ChannelRegistry::kMaxChannels + 1; ++i)
    channels.Sent(ChannelType::kEvents, "c" + std::to_string(i), 1);
  CHECK(Json::parse(channels.List(ChannelType::kEvents, "")).size() == ChannelRegistry::kMaxChannels);
  CHECK(channels.List(ChannelType::kEvents, "c0").find("\"c0\"") == std::string::npos);
}

}  // namespace
}  // namespace llm_router
