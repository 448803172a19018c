#include <nats/nats.h>

#include <functional>
#include <thread>
#include <utility>

#include "tests/bench/engine_way.h"
#include "tests/bench/window.h"

namespace llm_router::bench {
namespace {

constexpr const char* kEcho = "bench.native.echo";
constexpr const char* kQueue = "bench.native.queue";
constexpr const char* kStream = "bench-native";
constexpr const char* kConsumer = "work";
constexpr int64_t kWaitMs = 30'000;

template <auto kDestroy>
struct End {
  template <class Thing>
  void operator()(Thing* thing) const {
    kDestroy(thing);
  }
};
using Connection = std::unique_ptr<natsConnection, End<natsConnection_Destroy>>;
using JetStream = std::unique_ptr<jsCtx, End<jsCtx_Destroy>>;
using Message = std::unique_ptr<natsMsg, End<natsMsg_Destroy>>;
using Options = std::unique_ptr<natsOptions, End<natsOptions_Destroy>>;
using Subscription = std::unique_ptr<natsSubscription, End<natsSubscription_Destroy>>;

void Must(const char* what, natsStatus status) {
  if (status != NATS_OK) Fail(what, natsStatus_GetText(status));
}

void Answer(natsConnection* connection, natsSubscription* /*subscription*/, natsMsg* raw, void* /*closure*/) {
  const Message query(raw);
  Must("natsConnection_Publish", natsConnection_Publish(connection, natsMsg_GetReply(raw),
                                                        natsMsg_GetData(raw), natsMsg_GetDataLength(raw)));
}

using Work = std::function<void()>;

// `make` makes what each thread does over and over, on that thread.
std::vector<double> ByThreads(const Plan& plan, const std::function<Work()>& make) {
  const Window window(plan);
  std::vector<std::vector<double>> micros(static_cast<size_t>(plan.in_flight));
  std::vector<std::thread> threads;
  for (auto& mine : micros) {
    threads.emplace_back([&window, &mine, &make] {
      const Work work = make();
      while (window.is_open()) {
        const TimePoint start = Now();
        work();
        window.Count(start, mine);
      }
      nats_ReleaseThreadMemory();
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& some : micros) all.insert(all.end(), some.begin(), some.end());
  return all;
}

class Native final : public EngineWay {
 public:
  explicit Native(const std::string& url) {
    natsOptions* options = nullptr;
    Must("natsOptions_Create", natsOptions_Create(&options));
    const Options owned(options);
    Must("natsOptions_SetURL", natsOptions_SetURL(options, url.c_str()));
    // Else each message that is no request waits 1 ms for others. The adapter has it so, too.
    Must("natsOptions_SetSendAsap", natsOptions_SetSendAsap(options, true));
    natsConnection* connection = nullptr;
    Must("natsConnection_Connect", natsConnection_Connect(&connection, options));
    connection_.reset(connection);
    jsCtx* jetstream = nullptr;
    Must("natsConnection_JetStream", natsConnection_JetStream(&jetstream, connection, nullptr));
    jetstream_.reset(jetstream);
    AddQueue();
  }

  std::vector<double> Requests(const Plan& plan) override {
    natsSubscription* raw = nullptr;
    Must("natsConnection_QueueSubscribe",
         natsConnection_QueueSubscribe(&raw, connection_.get(), kEcho, "workers", Answer, nullptr));
    const Subscription responder(raw);
    Must("natsConnection_Flush", natsConnection_Flush(connection_.get()));
    const std::string body(plan.body, 'x');
    return ByThreads(plan, [&]() -> Work { return [&] { Ask(body); }; });
  }

  std::vector<double> Queue(const Plan& plan) override {
    const std::string body(plan.body, 'x');
    return ByThreads(plan, [&]() -> Work {
      // Shared by the copies of its own function alone.
      const std::shared_ptr<natsSubscription> pull(Pull(), natsSubscription_Destroy);
      return [this, &body, pull] {
        Send(body);
        ReceiveAndAck(*pull);
      };
    });
  }

 private:
  // As the adapter's own: a work queue in a file, one durable consumer.
  void AddQueue() {
    jsStreamConfig stream;
    Must("jsStreamConfig_Init", jsStreamConfig_Init(&stream));
    const char* subjects[] = {kQueue};
    stream.Name = kStream;
    stream.Subjects = subjects;
    stream.SubjectsLen = 1;
    stream.Retention = js_WorkQueuePolicy;
    stream.Storage = js_FileStorage;
    Must("js_AddStream", js_AddStream(nullptr, jetstream_.get(), &stream, nullptr, nullptr));
    jsConsumerConfig consumer;
    Must("jsConsumerConfig_Init", jsConsumerConfig_Init(&consumer));
    consumer.Durable = kConsumer;
    consumer.AckPolicy = js_AckExplicit;
    Must("js_AddConsumer", js_AddConsumer(nullptr, jetstream_.get(), kStream, &consumer, nullptr, nullptr));
  }

  natsSubscription* Pull() {
    jsSubOptions options;
    Must("jsSubOptions_Init", jsSubOptions_Init(&options));
    options.Stream = kStream;
    options.Consumer = kConsumer;
    natsSubscription* pull = nullptr;
    Must("js_PullSubscribe",
         js_PullSubscribe(&pull, jetstream_.get(), kQueue, kConsumer, nullptr, &options, nullptr));
    return pull;
  }

  void Ask(const std::string& body) {
    natsMsg* raw = nullptr;
    Must("natsConnection_Request", natsConnection_Request(&raw, connection_.get(), kEcho, body.data(),
                                                          static_cast<int>(body.size()), kWaitMs));
    const Message reply(raw);
    if (natsMsg_GetDataLength(raw) != static_cast<int>(body.size()))
      Fail("natsConnection_Request", "no echo");
  }

  void Send(const std::string& body) {
    Must("js_Publish", js_Publish(nullptr, jetstream_.get(), kQueue, body.data(),
                                  static_cast<int>(body.size()), nullptr, nullptr));
  }

  static void ReceiveAndAck(natsSubscription& pull) {
    natsMsgList list{};
    Must("natsSubscription_Fetch", natsSubscription_Fetch(&list, &pull, 1, kWaitMs, nullptr));
    Must("natsMsg_AckSync", natsMsg_AckSync(list.Msgs[0], nullptr, nullptr));
    natsMsgList_Destroy(&list);
  }

  Connection connection_;
  JetStream jetstream_;
};

}  // namespace

std::unique_ptr<EngineWay> NativeNats(const std::string& url) { return std::make_unique<Native>(url); }

}  // namespace llm_router::bench
