// The JSON that processes of ours send each other, and the tags on a query: from strangers, on a foreign
// engine. The first line of the input is a tag's value, the rest a body.
#include <string>

#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "proto/trace_context.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

using fuzz::Must;

void FeedBody(std::string_view body) {
  if (const auto beat = contract::ParseHeartbeat(body); beat.ok())
    Must(contract::ParseHeartbeat(contract::ToJson(*beat)).ok(), "a heartbeat that was written can be read");
  if (const auto reply = contract::ParseTextReply(contract::kJson, body); reply.ok())
    Must(contract::ParseTextReply(contract::kJson, contract::ToJson(*reply)).ok(),
         "a reply that was written can be read");
  (void)contract::ParseControl(body);
  (void)contract::ParseResume(body);
  const absl::Status failure = contract::ParseError("it failed", body);
  Must(!failure.ok(), "a failure stays one, whatever its body");
  for (const std::string_view dialect :
       {contract::dialect::kText, contract::dialect::kOpenAiChat, contract::dialect::kAnthropicMessages}) {
    const absl::Status back = contract::ParseError("it failed", contract::ErrorBody(dialect, failure));
    Must(FaultOf(back) == FaultOf(failure), "a failure keeps its fault on the way");
  }
}

void FeedTags(std::string_view value) {
  namespace tag = contract::tag;
  for (const std::string_view name : {tag::kContentType, tag::kDialect, tag::kModel, tag::kTemperature,
                                      tag::kMaxTokens, tag::kAccept, tag::kDeadline}) {
    const auto tags = contract::ParseQueryTags({{std::string(name), std::string(value)}});
    Must(tags.ok() || FaultOf(tags.status()) == Fault::kInvalidRequest ||
             FaultOf(tags.status()) == Fault::kNotSupported,
         "a bad tag is its caller's fault");
  }
  contract::RouteModels route;
  route.route = "openai";
  route.models = {"gpt", "openai/gpt"};
  (void)contract::ResolveModel(value, std::span(&route, 1));
  (void)contract::CheckRouteName(value);
  (void)contract::RouteOfRequestsChannel(value);
  (void)contract::IsTracestate(value);
  if (const auto context = contract::ParseTraceparent(value))
    Must(contract::ParseTraceparent(contract::ToTraceparent(*context)) == context,
         "a trace context that was written can be read");
}

}  // namespace
}  // namespace llm_router

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = llm_router::fuzz::TextOf(data, size);
  const size_t line = text.find('\n');
  llm_router::FeedTags(text.substr(0, line));
  llm_router::FeedBody(line == text.npos ? std::string_view() : text.substr(line + 1));
  return 0;
}
