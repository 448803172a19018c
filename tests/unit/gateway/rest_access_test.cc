// Keys at the REST door: the matrix of what each may do, and what becomes of a WebSocket whose key is gone.
#include <fmt/format.h>

#include <array>

#include "tests/support/catch.h"
#include "tests/unit/gateway/access_matrix.h"
#include "tests/unit/gateway/rest_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

KubemqServerOptions WithKeys() {
  KubemqServerOptions options;
  options.access = std::make_shared<Access>(MatrixKeys());
  return options;
}

std::string Bearer(std::string_view key) { return fmt::format("Authorization: Bearer {}\r\n", key); }

// Form is looked at before access: what is refused for its form can't be said here.
Outcome OutcomeOf(const HttpAnswer& answer) {
  CHECK(answer.status != 401);
  if (answer.status == 403) return Outcome::kDenied;
  const Json json = answer.json();
  const std::string message = json.value("message", "");
  // Queue calls say it in their data.
  const Json data = json.value("data", Json());
  const bool no_queue = data.is_object() && data.value("Error", "").starts_with("Error 120");
  const bool malformed = no_queue || message.starts_with("Error 10") || message.starts_with("Error 11") ||
                         message.starts_with("nats: ");
  return malformed ? Outcome::kNotSayable : Outcome::kLetIn;
}

// What REST can say.
constexpr std::array kVerbs = {
    Verb::kSendQuery,       Verb::kSendCommand,   Verb::kServeQueries,  Verb::kServeCommands,
    Verb::kAnswer,          Verb::kPublish,       Verb::kSubscribe,     Verb::kPublishStored,
    Verb::kSubscribeStored, Verb::kCreateChannel, Verb::kDeleteChannel, Verb::kReplyTo,
    Verb::kSendQueue,       Verb::kReceiveQueue,  Verb::kPurgeQueue,    Verb::kQueueInfo};

class RestDoor {
 public:
  Outcome Try(const Attempt& attempt) {
    const std::string channel(attempt.channel);
    key_ = Bearer(attempt.key);
    switch (attempt.verb) {
      case Verb::kSendQuery:
        return Ask({{"RequestTypeData", 2}, {"Channel", channel}, {"BodyString", "x"}});
      case Verb::kSendCommand:
        return Ask({{"RequestTypeData", 1}, {"Channel", channel}, {"BodyString", "x"}});
      case Verb::kCreateChannel:
        return Manage("create-channel", channel);
      case Verb::kDeleteChannel:
        return Manage("delete-channel", channel);
      case Verb::kAnswer:
        return channel.empty() ? Answer() : Outcome::kNotSayable;
      case Verb::kPublish:
      case Verb::kPublishStored:
        return Publish(channel, attempt.verb == Verb::kPublishStored);
      case Verb::kServeQueries:
        return Subscribe("requests", "queries", channel);
      case Verb::kServeCommands:
        return Subscribe("requests", "commands", channel);
      case Verb::kSubscribe:
        return Subscribe("events", "events", channel);
      case Verb::kSubscribeStored:
        return Subscribe("events", "events_store", channel);
      case Verb::kReplyTo:
        return channel.empty() ? Outcome::kNotSayable
                               : Queue("send", {{"Channel", "openai_jobs"},
                                                {"BodyString", "x"},
                                                {"Tags", {{"reply-to", channel}}}});
      case Verb::kSendQueue:
        return Queue("send", {{"Channel", channel}, {"BodyString", "x"}});
      case Verb::kReceiveQueue:
        return Queue("receive", {{"Channel", channel}, {"MaxNumberOfMessages", 1}});
      case Verb::kPurgeQueue:
        return Queue("ack_all", {{"Channel", channel}});
      case Verb::kQueueInfo:
        return OutcomeOf(rig_.Get("/queue/info", key_, Json({{"QueueName", channel}}).dump()));
      default:
        return Outcome::kNoSuchVerb;
    }
  }

 private:
  Outcome Queue(std::string_view what, Json request) {
    request["ClientID"] = "c";
    return Post(fmt::format("/queue/{}", what), request);
  }
  Outcome Post(std::string_view path, const Json& body) {
    return OutcomeOf(rig_.Post(path, body.dump(), "application/json", key_));
  }
  Outcome Ask(Json request) {
    request["ClientID"] = "c";
    request["Timeout"] = 1;
    return Post("/send/request", request);
  }
  Outcome Manage(std::string_view verb, const std::string& channel) {
    if (channel.empty()) return Outcome::kNotSayable;
    return Ask({{"RequestTypeData", 2},
                {"Channel", "kubemq.cluster.internal.requests"},
                {"Metadata", verb},
                {"Tags", {{"channel", channel}, {"channel_type", "events"}}}});
  }
  Outcome Answer() {
    return Post("/send/response",
                {{"ClientID", "w"}, {"RequestID", "1"}, {"ReplyChannel", "_INBOX.unknown"}});
  }
  Outcome Publish(const std::string& channel, bool store) {
    if (channel.empty()) return Outcome::kNotSayable;
    return Post("/send/event",
                {{"ClientID", "c"}, {"Channel", channel}, {"BodyString", "x"}, {"Store", store}});
  }
  // Without the headers of an upgrade: who may subscribe is let in, and then told that it is no WebSocket.
  Outcome Subscribe(std::string_view to, std::string_view type, const std::string& channel) {
    std::string escaped;
    for (const char c : channel) escaped += c == '>' ? "%3E" : std::string(1, c);
    return OutcomeOf(
        rig_.Get(fmt::format("/subscribe/{}?client_id=s&channel={}&subscribe_type={}{}", to, escaped, type,
                             type == "events_store" ? "&events_store_type_data=1" : ""),
                 key_));
  }

  RestRig rig_{WithKeys()};
  std::string key_;
};

TEST_CASE("the REST door lets each access do what the rules grant, and nothing else") {
  RestDoor door;
  CheckMatrix(kVerbs, [&](const Attempt& attempt) { return door.Try(attempt); });
}

TEST_CASE("every path but / and /ping asks for a key, which is never shown") {
  RestRig rig(WithKeys());
  for (const std::string& headers :
       {std::string(), Bearer("wrong-key"), std::string("x-api-key: wrong-key\r\n")}) {
    for (const char* path : {"/send/request", "/send/event", "/send/response", "/model", "/queue/send"}) {
      const HttpAnswer answer = rig.Post(path, "{}", "application/json", headers);
      CHECK(answer.status == 401);
      CHECK_THAT(answer.head, Catch::Contains("www-authenticate", Catch::CaseSensitive::No));
      CHECK_THAT(answer.body, !Catch::Contains("wrong-key"));
    }
    for (const char* path : {"/subscribe/events", "/subscribe/requests", "/send/stream", "/queue/info"})
      CHECK(rig.Get(path, headers).status == 401);
  }
  CHECK(rig.Get("/").status == 200);
  CHECK(rig.Get("/ping").status == 200);
  CHECK(rig.Get("/ping", Bearer("wrong-key")).status == 401);
}

TEST_CASE("a key comes raw, behind Bearer, or as x-api-key") {
  RestRig rig(WithKeys());
  const std::string key = MatrixKey(AccessLevel::kCaller);
  const std::string event = R"({"ClientID": "c", "Channel": "orders.new", "BodyString": "x"})";
  for (const std::string& headers :
       {fmt::format("Authorization: {}\r\n", key), Bearer(key), fmt::format("x-api-key: {}\r\n", key)})
    CHECK(rig.Post("/send/event", event, "application/json", headers).status == 200);
}

TEST_CASE("a WebSocket is closed with 1008 when its key is taken away, others stay") {
  auto options = WithKeys();
  const auto access = options.access;
  RestRig rig(options);
  const std::string_view target = "/subscribe/events?client_id=s&channel=e&subscribe_type=events";
  WebSocketClient going(rig.port(), target, Bearer(MatrixKey(AccessLevel::kCaller)));
  WebSocketClient staying(rig.port(), target, Bearer(MatrixKey(AccessLevel::kAdmin)));
  auto keys = MatrixKeys();
  keys.erase(keys.begin());
  access->Replace(keys);
  rig.EndRevoked();
  CHECK(going.Read().close_code() == 1008);
  rig.doors().Publish("e", "still here");
  CHECK(Json::parse(staying.ReadText())["BodyString"] == "still here");
}

}  // namespace
}  // namespace llm_router::test
