// Keys at the KubeMQ gRPC door: the matrix of what each may do, stamps, lists and revoked keys.
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <set>

#include "proto/jobs_question.h"
#include "router/gateway/kubemq_access.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/access_matrix.h"
#include "tests/unit/gateway/door_rig.h"
#include "workers.grpc.pb.h"

namespace llm_router::test {
namespace {

using grpc::StatusCode;

KubemqServerOptions WithKeys(std::vector<KeyConfig> keys = MatrixKeys()) {
  KubemqServerOptions options;
  options.access = std::make_shared<Access>(keys);
  return options;
}

struct Call {
  explicit Call(std::string_view key) {
    if (!key.empty()) context.AddMetadata("authorization", std::string(key));
  }
  grpc::ClientContext context;
};

Outcome OutcomeOf(const grpc::Status& status) {
  if (status.error_code() == StatusCode::PERMISSION_DENIED) return Outcome::kDenied;
  CHECK(status.error_code() != StatusCode::UNAUTHENTICATED);
  const bool malformed = status.error_code() == StatusCode::INTERNAL &&
                         status.error_message().find("Error 301") == std::string::npos;
  return malformed ? Outcome::kNotSayable : Outcome::kLetIn;
}

// The same of a call whose answer says what is wrong with its form.
template <class Answer>
Outcome OutcomeOf(const grpc::Status& status, const Answer& answer) {
  const bool malformed = answer.iserror() && answer.error().find("Error 120") != std::string::npos;
  return malformed ? Outcome::kNotSayable : OutcomeOf(status);
}

// How a stream ended that may be in force: then only because all keys are taken away for a moment. (If its
// client cancelled it instead, it could not tell a refusal that is still on its way.)
template <class Stream>
grpc::Status EndOf(DoorRig& rig, Access& access, Stream& stream) {
  stream.WaitForInitialMetadata();
  access.Replace({});
  rig.EndRevoked();
  const grpc::Status end = stream.Finish();
  access.Replace(MatrixKeys());
  return end;
}

class GrpcDoor {
 public:
  Outcome Try(const Attempt& attempt) {
    channel_ = std::string(attempt.channel);
    Call call(attempt.key);
    switch (attempt.verb) {
      case Verb::kSendQuery:
      case Verb::kSendCommand:
        return Ask(call, attempt.verb);
      case Verb::kReplyTo:
        return ReplyTo(call);
      case Verb::kCreateChannel:
        return Manage(call, "create-channel");
      case Verb::kDeleteChannel:
        return Manage(call, "delete-channel");
      case Verb::kSeeChannel:  // lists are filtered: tested apart
        return channel_.empty() ? Manage(call, "list-channels") : Outcome::kNotSayable;
      case Verb::kServeQueries:
        return Serve(call, kubemq::Subscribe::Queries);
      case Verb::kServeCommands:
        return Serve(call, kubemq::Subscribe::Commands);
      case Verb::kAnswer:
        return channel_.empty() ? Answer(call) : Outcome::kNotSayable;
      case Verb::kPublish:
      case Verb::kPublishStored:
        return Publish(call, attempt.verb == Verb::kPublishStored);
      case Verb::kSubscribe:
        return Listen(call, kubemq::Subscribe::Events);
      case Verb::kSubscribeStored:
        return Listen(call, kubemq::Subscribe::EventsStore);
      default:
        return TryQueue(call, attempt.verb);
    }
  }

 private:
  Outcome Ask(Call& call, Verb verb) {
    kubemq::Request request = QueryOn(channel_);
    if (verb == Verb::kSendCommand) request.set_requesttypedata(kubemq::Request::Command);
    request.set_timeout(1);
    kubemq::Response response;
    return OutcomeOf(rig_.stub().SendRequest(&call.context, request, &response));
  }
  Outcome ReplyTo(Call& call) {
    if (channel_.empty()) return Outcome::kNotSayable;
    kubemq::QueueMessage message;
    message.set_clientid("c");
    message.set_channel("openai_jobs");
    message.set_body("x");
    (*message.mutable_tags())["reply-to"] = channel_;
    kubemq::SendQueueMessageResult result;
    return OutcomeOf(rig_.stub().SendQueueMessage(&call.context, message, &result));
  }
  Outcome Manage(Call& call, const std::string& verb) {
    kubemq::Request request = QueryOn("kubemq.cluster.internal.requests", "");
    request.set_metadata(verb);
    (*request.mutable_tags())["channel"] = channel_;
    (*request.mutable_tags())["channel_type"] = "events";
    kubemq::Response response;
    if (verb != "list-channels" && channel_.empty()) return Outcome::kNotSayable;
    return OutcomeOf(rig_.stub().SendRequest(&call.context, request, &response));
  }
  Outcome Serve(Call& call, kubemq::Subscribe::SubscribeType type) {
    return Subscribed(*rig_.stub().SubscribeToRequests(&call.context, Subscribe(type, channel_)));
  }
  Outcome Listen(Call& call, kubemq::Subscribe::SubscribeType type) {
    kubemq::Subscribe subscribe = Subscribe(type, channel_);
    if (type == kubemq::Subscribe::EventsStore)
      subscribe.set_eventsstoretypedata(kubemq::Subscribe::StartNewOnly);
    return Subscribed(*rig_.stub().SubscribeToEvents(&call.context, subscribe));
  }
  template <class Reader>
  Outcome Subscribed(Reader& reader) {
    const grpc::Status end = EndOf(rig_, *options_.access, reader);
    return end.error_code() == StatusCode::UNAUTHENTICATED ? Outcome::kLetIn : OutcomeOf(end);
  }
  Outcome Answer(Call& call) {
    kubemq::Response answer;
    answer.set_clientid("worker");
    answer.set_requestid("1");
    answer.set_replychannel("_INBOX.unknown");
    kubemq::Empty empty;
    return OutcomeOf(rig_.stub().SendResponse(&call.context, answer, &empty));
  }
  Outcome Publish(Call& call, bool store) {
    kubemq::Event event;
    event.set_clientid("sender");
    event.set_channel(channel_);
    event.set_body("x");
    event.set_store(store);
    kubemq::Result result;
    if (channel_.empty()) return Outcome::kNotSayable;
    return OutcomeOf(rig_.stub().SendEvent(&call.context, event, &result));
  }
  Outcome TryQueue(Call& call, Verb verb) {
    if (verb == Verb::kSendQueue) {
      kubemq::QueueMessage message;
      message.set_clientid("c");
      message.set_channel(channel_);
      message.set_body("x");
      kubemq::SendQueueMessageResult result;
      return OutcomeOf(rig_.stub().SendQueueMessage(&call.context, message, &result), result);
    }
    if (verb == Verb::kReceiveQueue) {
      kubemq::ReceiveQueueMessagesRequest request;
      request.set_clientid("c");
      request.set_channel(channel_);
      request.set_maxnumberofmessages(1);
      kubemq::ReceiveQueueMessagesResponse response;
      return OutcomeOf(rig_.stub().ReceiveQueueMessages(&call.context, request, &response), response);
    }
    if (verb == Verb::kPurgeQueue) {
      kubemq::AckAllQueueMessagesRequest request;
      request.set_clientid("c");
      request.set_channel(channel_);
      kubemq::AckAllQueueMessagesResponse response;
      return OutcomeOf(rig_.stub().AckAllQueueMessages(&call.context, request, &response), response);
    }
    if (verb != Verb::kQueueInfo) return Outcome::kNoSuchVerb;
    kubemq::QueuesInfoRequest request;
    request.set_queuename(channel_);
    kubemq::QueuesInfoResponse response;
    return OutcomeOf(rig_.stub().QueuesInfo(&call.context, request, &response));
  }

  const KubemqServerOptions options_ = WithKeys();
  DoorRig rig_{options_};
  std::string channel_;
};

std::set<Verb> VerbsOfTheDoor() {
  std::set<Verb> verbs;
  for (const KubemqMethod& method : AllKubemqMethods())
    verbs.insert(method.verbs.begin(), method.verbs.begin() + method.verb_count);
  return verbs;
}

TEST_CASE("the KubeMQ gRPC door lets each access do what the rules grant, and nothing else") {
  GrpcDoor door;
  const std::set<Verb> verbs = VerbsOfTheDoor();
  CheckMatrix(std::vector<Verb>(verbs.begin(), verbs.end()),
              [&](const Attempt& attempt) { return door.Try(attempt); });
}

TEST_CASE("every method of the wire has a row of verbs, and every verb a door") {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  (void)kubemq::Request::descriptor();
  (void)wire::FromWorker::descriptor();
  for (const char* name : {"kubemq.kubemq", "llm_router.wire.Workers"}) {
    const auto* service = pool->FindServiceByName(name);
    REQUIRE(service != nullptr);
    for (int i = 0; i < service->method_count(); ++i) {
      INFO(service->method(i)->full_name());
      CHECK(FindKubemqMethod(service->method(i)->name()) != nullptr);
    }
  }
  std::set<Verb> verbs = VerbsOfTheDoor();
  verbs.insert({Verb::kReadMetrics, Verb::kKeepTenant});  // the admin door; a stamp, below
  for (const VerbRow& row : AllVerbs()) CHECK(verbs.contains(row.verb));
}

TEST_CASE("without a known key every method but Ping is refused") {
  DoorRig rig(WithKeys());
  for (const std::string_view key : {"", "wrong", "Bearer wrong"}) {
    Call request(key), answer(key), event(key), events(key), queue(key), requests(key), serve(key), ping(key);
    kubemq::Response response;
    const grpc::Status refused = rig.stub().SendRequest(&request.context, QueryOn("q"), &response);
    CHECK(refused.error_code() == StatusCode::UNAUTHENTICATED);
    CHECK_THAT(refused.error_message(), Catch::StartsWith("Error 421: authentication verification failed"));
    kubemq::Empty empty;
    CHECK(rig.stub().SendResponse(&answer.context, kubemq::Response(), &empty).error_code() ==
          StatusCode::UNAUTHENTICATED);
    kubemq::Result result;
    CHECK(rig.stub().SendEvent(&event.context, kubemq::Event(), &result).error_code() ==
          StatusCode::UNAUTHENTICATED);
    CHECK(rig.stub().SendEventsStream(&events.context)->Finish().error_code() == StatusCode::UNAUTHENTICATED);
    CHECK(rig.stub().QueuesUpstream(&queue.context)->Finish().error_code() == StatusCode::UNAUTHENTICATED);
    CHECK(rig.stub()
              .SubscribeToRequests(&requests.context, Subscribe(kubemq::Subscribe::Queries, "q"))
              ->Finish()
              .error_code() == StatusCode::UNAUTHENTICATED);
    const auto workers = wire::Workers::NewStub(rig.channel());
    CHECK(workers->Serve(&serve.context)->Finish().error_code() == StatusCode::UNAUTHENTICATED);
    kubemq::PingResult pong;
    CHECK(rig.stub().Ping(&ping.context, kubemq::Empty(), &pong).ok() == key.empty());
  }
}

TEST_CASE("a worker of ours serves its stream by the rules too") {
  const auto options = WithKeys();
  DoorRig rig(options);
  for (const AccessLevel level : {AccessLevel::kCaller, AccessLevel::kWorker}) {
    Call call(MatrixKey(level));
    const auto stream = wire::Workers::NewStub(rig.channel())->Serve(&call.context);
    wire::FromWorker first;
    *first.mutable_subscribe()->mutable_subscribe() =
        Subscribe(kubemq::Subscribe::Queries, "openai_requests");
    stream->Write(first);
    const bool served = EndOf(rig, *options.access, *stream).error_code() == StatusCode::UNAUTHENTICATED;
    CHECK(served == (level == AccessLevel::kWorker));
  }
}

TEST_CASE("a query is stamped with its key's tenant, and only a worker may name another") {
  DoorRig rig(WithKeys());
  rig.Serve("openai_requests", Echo);
  for (const AccessLevel level : {AccessLevel::kCaller, AccessLevel::kWorker, AccessLevel::kAdmin}) {
    Call call(MatrixKey(level));
    kubemq::Request request = QueryOn("openai_requests");
    (*request.mutable_tags())["tenant"] = "other";
    (*request.mutable_tags())["authorization"] = "Bearer leaked";
    kubemq::Response response;
    REQUIRE(rig.stub().SendRequest(&call.context, request, &response).ok());
    CHECK(response.tags().at("tenant") == (level == AccessLevel::kWorker ? "other" : "acme"));
    CHECK(response.tags().count("authorization") == 0);
  }
}

TEST_CASE("cached replies are a tenant's own") {
  auto keys = MatrixKeys();
  keys[2].tenant = "other";
  DoorRig rig(WithKeys(keys));
  rig.Serve("openai_requests", Echo);
  kubemq::Request request = QueryOn("openai_requests");
  request.set_cachekey("k");
  request.set_cachettl(60);
  const auto ask = [&](AccessLevel level) {
    Call call(MatrixKey(level));
    kubemq::Response response;
    REQUIRE(rig.stub().SendRequest(&call.context, request, &response).ok());
    return response.cachehit();
  };
  CHECK_FALSE(ask(AccessLevel::kCaller));
  CHECK(ask(AccessLevel::kCaller));
  CHECK_FALSE(ask(AccessLevel::kAdmin));
}

TEST_CASE("a list of channels names those that its caller may see") {
  DoorRig rig(WithKeys());
  for (const char* channel : {"llm_workers", "stream.other.1", "stream.acme.1", "orders.new"}) {
    Call call(MatrixKey(AccessLevel::kWorker));
    kubemq::Event event;
    event.set_clientid("w");
    event.set_channel(channel);
    event.set_body("x");
    kubemq::Result result;
    REQUIRE(rig.stub().SendEvent(&call.context, event, &result).ok());
  }
  const auto list = [&](AccessLevel level) {
    Call call(MatrixKey(level));
    kubemq::Request request = QueryOn("kubemq.cluster.internal.requests", "");
    request.set_metadata("list-channels");
    (*request.mutable_tags())["channel_type"] = "events";
    kubemq::Response response;
    REQUIRE(rig.stub().SendRequest(&call.context, request, &response).ok());
    return response.body();
  };
  CHECK_THAT(list(AccessLevel::kCaller), Catch::Contains("llm_workers") && Catch::Contains("stream.acme.1") &&
                                             Catch::Contains("orders.new") &&
                                             !Catch::Contains("stream.other.1"));
  CHECK_THAT(list(AccessLevel::kAdmin), Catch::Contains("stream.other.1"));
}

TEST_CASE("a key with routes hears of these routes only") {
  auto keys = MatrixKeys();
  keys[0].routes = {"openai"};
  DoorRig rig(WithKeys(keys));
  Call call(MatrixKey(AccessLevel::kCaller));
  const auto reader =
      rig.stub().SubscribeToEvents(&call.context, Subscribe(kubemq::Subscribe::Events, "llm_workers"));
  reader->WaitForInitialMetadata();
  rig.Publish("llm_workers", R"({"worker": "w", "routes": [{"route": "openai"}, {"route": "secret_plan"}]})");
  kubemq::EventReceive event;
  REQUIRE(reader->Read(&event));
  CHECK_THAT(event.body(), Catch::Contains("openai") && !Catch::Contains("secret_plan"));
  call.context.TryCancel();
  (void)reader->Finish();

  Call asking(MatrixKey(AccessLevel::kCaller));
  kubemq::Response response;
  CHECK(rig.stub().SendRequest(&asking.context, QueryOn("secret_plan_requests"), &response).error_code() ==
        StatusCode::PERMISSION_DENIED);
}

TEST_CASE("a key with routes submits jobs and batches to these routes only") {
  auto keys = MatrixKeys();
  keys[0].routes = {"openai"};
  DoorRig rig(WithKeys(keys));
  std::vector<std::string> heard;
  rig.Serve("llm_jobs", [&](const Query& query) -> absl::StatusOr<Reply> {
    heard.push_back(query.message.body);
    Reply reply;
    reply.executed = true;
    reply.message.body = "{}";
    return reply;
  });
  const auto ask = [&](const std::string& body) {
    Call call(MatrixKey(AccessLevel::kCaller));
    kubemq::Response response;
    return rig.stub().SendRequest(&call.context, QueryOn("llm_jobs", body), &response).error_code();
  };
  constexpr auto kDenied = StatusCode::PERMISSION_DENIED;
  CHECK(ask(R"({"op": "submit", "route": "secret_plan", "body": "hi"})") == kDenied);
  CHECK(ask(R"({"op": "batch_create", "format": "text", "route": "secret_plan"})") == kDenied);
  CHECK(ask(R"({"op": "batch_create", "routes": ["openai", "secret_plan"]})") == kDenied);
  CHECK(heard.empty());
  CHECK(ask(R"({"op": "submit", "route": "openai", "body": "hi"})") == StatusCode::OK);
  CHECK(ask(R"({"op": "batch_create"})") == StatusCode::OK);
  REQUIRE(heard.size() == 2);
  const auto held = contract::ParseJobsQuestion(heard[1]);
  REQUIRE(held.ok());
  CHECK(std::get<contract::CreateBatch>(*held).options.routes == std::vector<std::string>{"openai"});
}

TEST_CASE("an event that may not be published is answered so on its stream, which goes on") {
  DoorRig rig(WithKeys());
  Call call(MatrixKey(AccessLevel::kCaller));
  const auto stream = rig.stub().SendEventsStream(&call.context);
  kubemq::Event event;
  event.set_clientid("c");
  event.set_body("x");
  for (const char* channel : {"orders.new", "llm_workers", "stream.acme.1"}) {
    event.set_eventid(channel);
    event.set_channel(channel);
    REQUIRE(stream->Write(event));
  }
  kubemq::Result result;
  for (const char* refused : {"llm_workers", "stream.acme.1"}) {
    REQUIRE(stream->Read(&result));
    CHECK(result.eventid() == refused);
    CHECK_THAT(result.error(), Catch::StartsWith("Error 412: access denied"));
  }
  stream->WritesDone();
  CHECK(stream->Finish().ok());
  CHECK(rig.Stats().events == 1);
}

TEST_CASE("a subscription ends when its key is taken away, others stay") {
  auto options = WithKeys();
  const auto access = options.access;
  DoorRig rig(options);
  Call going(MatrixKey(AccessLevel::kCaller)), staying(MatrixKey(AccessLevel::kAdmin));
  const auto gone = rig.stub().SubscribeToEvents(&going.context, Subscribe(kubemq::Subscribe::Events, "e"));
  const auto stays =
      rig.stub().SubscribeToEvents(&staying.context, Subscribe(kubemq::Subscribe::Events, "e"));
  gone->WaitForInitialMetadata();
  stays->WaitForInitialMetadata();
  auto keys = MatrixKeys();
  keys.erase(keys.begin());
  access->Replace(keys);
  rig.EndRevoked();
  CHECK(gone->Finish().error_code() == StatusCode::UNAUTHENTICATED);
  rig.Publish("e", "still here");
  kubemq::EventReceive event;
  REQUIRE(stays->Read(&event));
  CHECK(event.body() == "still here");
  staying.context.TryCancel();
  (void)stays->Finish();
}

TEST_CASE("denials are counted") {
  auto options = WithKeys();
  const auto access = options.access;
  DoorRig rig(options);
  Call nobody(""), caller(MatrixKey(AccessLevel::kCaller));
  kubemq::Response response;
  (void)rig.stub().SendRequest(&nobody.context, QueryOn("q"), &response);
  (void)rig.stub().SendRequest(&caller.context, QueryOn("llm_journal"), &response);
  CHECK(access->stats().unauthenticated == 1);
  CHECK(access->stats().permission_denied == 1);
}

}  // namespace
}  // namespace llm_router::test
