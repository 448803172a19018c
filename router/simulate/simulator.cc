#include "router/simulate/simulator.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "router/net/http_server.h"
#include "router/simulate/api.h"
#include "router/simulate/door.h"
#include "router/simulate/fault_plan.h"
#include "router/simulate/gates.h"
#include "router/simulate/misbehave.h"
#include "router/simulate/request_log.h"
#include "router/simulate/send_stream.h"

namespace llm_router {
namespace {

using simulate::Answer;
using simulate::Api;
using simulate::At;
using simulate::Conversation;
using simulate::Door;
using simulate::Json;
using simulate::Misbehaviour;
using simulate::Refusal;
using simulate::RequestLog;
using simulate::StreamOrder;
using simulate::Task;
using simulate::Text;
using simulate::Verdict;

constexpr size_t kBodyLimit = 64 * 1024 * 1024;
constexpr size_t kRequestsShown = 100;

// One request on its way: what it is, and what it shall get.
struct Call {
  Call(const Door& door, Json content) : api(door.api()), body(std::move(content)) {
    const std::string& named = door.match.model;
    if (!named.empty() && body.is_object() && !body.contains("model")) body["model"] = named;
  }

  const Api& api;
  Json body;
  std::string model;
  std::string key;
  simulate::FaultPlan plan;
  Verdict refusal;
  std::shared_ptr<simulate::Gate> gate;  // a share, as gates.h says; null: none
  RequestLog::Id id = 0;
  bool lists_models = false;
};

HttpResponse ErrorReply(const Api& api, const Refusal& refusal, const std::string& retry_after = {}) {
  const std::string id = "req_" + NewId();
  HttpResponse response(refusal.status,
                        {{"content-type", "application/json"}, {std::string(api.request_id_header()), id}},
                        api.RenderError(refusal, id));
  const bool come_back = refusal.status == 429 || refusal.status == 503 || refusal.status == 529;
  if (come_back && !retry_after.empty()) response.headers.emplace_back("retry-after", retry_after);
  return response;
}

HttpResponse JsonReply(int status, std::string body) {
  return HttpResponse(status, {{"content-type", "application/json"}}, std::move(body));
}

Refusal ToRefusal(const Call& call) {
  const int status = call.plan.status;
  if (status == 401) return Refusal(401, fmt::format("Incorrect API key provided: {}.", call.key));
  return Refusal(status, fmt::format("simulated error {}", status));
}

size_t LastAsked(const std::string& query) {
  constexpr std::string_view key = "last=";
  const std::string_view text = query;
  if (text.substr(0, key.size()) != key) return kRequestsShown;
  return ParseNumber<size_t>(text.substr(key.size())).value_or(kRequestsShown);
}

}  // namespace

class Simulator::Impl {
 public:
  Impl(Executor executor, SimulatorOptions options)
      : options_(std::move(options)), log_(options_.log_size), gates_(executor) {}

  absl::Status Listen(Executor executor) {
    HttpServerOptions http;
    http.host = options_.host;
    http.port = options_.port;
    http.body_limit = kBodyLimit;
    http.body_limit_setting = "the simulator";
    http.max_connections = 20'000;
    http.write_timeout = std::chrono::hours(1);  // of readers that are slow on purpose
    ASSIGN_OR_RETURN(server_, HttpServer::Listen(executor, std::move(http),
                                                 [this](HttpRequest& request, HttpResponder& responder) {
                                                   return Handle(request, responder);
                                                 }));
    return absl::OkStatus();
  }

  int port() const { return server_->port(); }
  Awaitable<void> Stop() { co_await server_->Stop(Milliseconds(0)); }

 private:
  Awaitable<void> Handle(HttpRequest& request, HttpResponder& responder) {
    if (request.path.rfind("/simulate/", 0) == 0) {
      (void)co_await responder.Send(Control(request));
      co_return;
    }
    Call call = Understand(request);
    call.id = log_.Begin(std::move(request), call.model, call.plan.name);
    int status = 0;
    const absl::Status sent = co_await Reply(call, responder, status);
    log_.End(call.id, status, sent.ok());
  }

  Call Understand(const HttpRequest& request) {
    const Door door = simulate::DoorOf(request);
    Call call(door, Json::parse(request.body, nullptr, false));
    call.lists_models = door.task() == Task::kModels;
    call.model = Text(At(call.body, "model"));
    call.key = KeyOf(door.rules, request);
    if (const absl::Status planned = Plan(request, call); !planned.ok()) {
      call.refusal = Refusal(400, std::string(MessageOf(planned)));
    }
    if (!call.refusal.has_value() && options_.strict) call.refusal = CheckHead(door, request);
    if (!call.refusal.has_value()) call.refusal = CheckDoor(door, request, call.body);
    if (!call.refusal.has_value() && options_.strict) call.refusal = CheckBody(door, call.body);
    return call;
  }

  absl::Status Plan(const HttpRequest& request, Call& call) {
    ASSIGN_OR_RETURN(call.plan, simulate::PlanFor(request, call.model, script_));
    if (call.plan.gate.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(call.gate, gates_.Find(call.plan.gate));
    return absl::OkStatus();
  }

  // Sends what the call shall get; fails when the client went away before it had it all.
  Awaitable<absl::Status> Reply(const Call& call, HttpResponder& responder, int& status) {
    Answer answer;
    const Conversation conversation = call.api.Read(call.body);
    if (!call.refusal.has_value()) {
      answer = simulate::ComputeAnswer(conversation, call.plan.tokens.value_or(options_.tokens));
    }
    const bool streams = conversation.stream && !call.refusal.has_value();
    const Milliseconds delay = DelayOf(call, streams ? 0 : answer.output_tokens);
    if (delay > Milliseconds(0) && !co_await Sleep(Now() + delay)) co_return absl::CancelledError();
    if (call.refusal.has_value()) co_return co_await Refuse(call, *call.refusal, responder, status);
    if (call.plan.misbehaviour == Misbehaviour::kStatus) {
      co_return co_await Refuse(call, ToRefusal(call), responder, status);
    }
    status = 200;
    if (streams) {
      if (auto writer = call.api.Stream(conversation, answer)) {
        co_return co_await Stream(call, answer, std::move(writer), responder);
      }
    }
    HttpResponse good =
        JsonReply(200, call.lists_models ? call.api.RenderModels() : call.api.Render(conversation, answer));
    good.headers.emplace_back(call.api.request_id_header(), "req_" + NewId());
    co_return co_await simulate::SendSpoilt(call.plan.misbehaviour, std::move(good), responder);
  }

  Awaitable<absl::Status> Stream(const Call& call, const Answer& answer,
                                 std::unique_ptr<simulate::StreamWriter> writer, HttpResponder& responder) {
    log_.Stream(call.id, 0);
    HttpResponse good(200,
                      {{"content-type", "text/event-stream; charset=utf-8"},
                       {"cache-control", "no-cache"},
                       {std::string(call.api.request_id_header()), "req_" + NewId()}},
                      {});
    StreamOrder order;
    order.pieces = simulate::PiecesOf(answer);
    const Misbehaviour wrong = call.plan.misbehaviour;
    if (wrong != Misbehaviour::kNone && !simulate::IsStreamFault(wrong)) {
      good.body = simulate::WholeStream(*writer, order.pieces);
      co_return co_await simulate::SendSpoilt(wrong, std::move(good), responder);
    }
    order.writer = std::move(writer);
    order.misbehaviour = wrong;
    order.after = call.plan.after.value_or(1);
    order.rate = options_.token_rate;
    order.gate = call.gate;
    order.sent = [this, id = call.id](size_t tokens) { log_.Stream(id, tokens); };
    co_return co_await simulate::SendStream(std::move(order), std::move(good.headers), responder);
  }

  Awaitable<absl::Status> Refuse(const Call& call, const Refusal& refusal, HttpResponder& responder,
                                 int& status) {
    status = refusal.status;
    co_return co_await responder.Send(ErrorReply(call.api, refusal, call.plan.retry_after));
  }

  static Verdict CheckBody(const Door& door, const Json& body) {
    if (door.task() == Task::kModels) return std::nullopt;
    if (door.task() == Task::kChat) {
      if (auto bad = CheckProviderRules(door.rules, body)) return bad;
    }
    return door.api().CheckBody(body, door.rules.own_fields);
  }

  // Before the answer begins; `tokens`: of one that is made as a whole.
  Milliseconds DelayOf(const Call& call, size_t tokens) const {
    const Milliseconds delay = call.plan.latency.value_or(options_.latency);
    if (options_.token_rate <= 0) return delay;
    const double seconds = static_cast<double>(tokens) / options_.token_rate;
    return delay + Milliseconds(static_cast<int64_t>(seconds * 1000));
  }

  HttpResponse Control(const HttpRequest& request) {
    const std::string door = request.method + " " + request.path;
    if (door == "GET /simulate/requests") return JsonReply(200, log_.RequestsJson(LastAsked(request.query)));
    if (door == "GET /simulate/counters") return JsonReply(200, log_.CountersJson());
    if (door == "GET /simulate/gate") return JsonReply(200, gates_.StateJson());
    if (door == "POST /simulate/gate") return Done(gates_.Allow(request.body), "{}");
    if (door == "POST /simulate/script") return Script(request.body);
    if (door == "POST /simulate/reset") {
      log_.Clear();
      script_.Clear();
      gates_.Clear();
      return JsonReply(200, "{}");
    }
    return ErrorReply(simulate::OpenAiApi(), Refusal(404, fmt::format("there is no {}", door)));
  }

  HttpResponse Script(const std::string& body) {
    const absl::Status appended = script_.Append(body);
    return Done(appended, fmt::format(R"({{"entries":{}}})", script_.size()));
  }

  static HttpResponse Done(const absl::Status& status, std::string reply) {
    if (status.ok()) return JsonReply(200, std::move(reply));
    return ErrorReply(simulate::OpenAiApi(), Refusal(400, std::string(MessageOf(status))));
  }

  SimulatorOptions options_;
  RequestLog log_;
  simulate::FaultScript script_;
  simulate::Gates gates_;
  std::unique_ptr<HttpServer> server_;
};

std::string SimulatorHelp() {
  return fmt::format(
      "Endpoints: POST /v1/chat/completions, /v1/completions, /v1/embeddings (OpenAI), POST /v1/messages,\n"
      "/v1/messages/count_tokens (Anthropic), GET /v1/models. With \"stream\": true answers come word by "
      "word.\n"
      "Every provider type of `llm-router providers list` below its name, refusing what that one refuses:\n"
      "POST /mistral/v1/chat/completions, /azure/openai/deployments/MODEL/chat/completions, ...\n"
      "A model's name, or a header, steers one request:\n"
      "  sim-fault-FAULT          x-simulate-fault: FAULT\n"
      "  sim-latency-MS           x-simulate-latency-ms: MS\n"
      "  sim-tokens-N             x-simulate-tokens: N\n"
      "  sim-after-N              x-simulate-after: N     words of a stream before its fault, 1 unless said\n"
      "  sim-gate-NAME            x-simulate-gate: NAME   words of a stream wait for POST /simulate/gate\n"
      "  sim-retry_after-SECONDS  x-simulate-retry-after: SECONDS\n"
      "as in gpt-4o-sim-latency-200-sim-fault-503. FAULT is one of {}.\n"
      "In the last user message, call:TOOL answers with that tool call, finish:REASON with that finish "
      "reason,\n"
      "reasoning:WORD thinks of it first, cache:hit reports a cached prompt.\n"
      "For tests: GET /simulate/requests?last=N, GET /simulate/counters, POST /simulate/script with a list "
      "such as\n"
      "[{{\"fault\": \"429\", \"times\": 2, \"retry_after\": 3}}], POST /simulate/gate with\n"
      "{{\"name\": \"NAME\", \"frames\": 3}}, GET /simulate/gate, POST /simulate/reset.\n",
      simulate::FaultNames());
}

absl::StatusOr<std::unique_ptr<Simulator>> Simulator::Start(Executor executor, SimulatorOptions options) {
  auto impl = std::make_unique<Impl>(executor, std::move(options));
  RETURN_IF_ERROR(impl->Listen(executor));
  return std::unique_ptr<Simulator>(new Simulator(std::move(impl)));
}

Simulator::Simulator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Simulator::~Simulator() = default;

int Simulator::port() const { return impl_->port(); }
Awaitable<void> Simulator::Stop() { co_await impl_->Stop(); }

}  // namespace llm_router
