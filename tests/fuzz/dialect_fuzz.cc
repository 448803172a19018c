// A codec, whatever it is given: a reply or a fault of the right side; what it parsed renders in every
// dialect, and what it rendered in its own parses again. The dialect is FUZZ_DIALECT.
#include <string>

#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

using fuzz::Must;

void FeedRequest(const Dialect& dialect, std::string_view body) {
  const auto chat = dialect.ParseRequest(body);
  if (!chat.ok())
    return Must(FaultOf(chat.status()) == Fault::kInvalidRequest, "a bad request is its caller's fault");
  const auto replaced = dialect.ParseRequest(dialect.WithModel(body, "m", body.size() % 2 == 0));
  Must(replaced.ok() && (dialect.name() == "text" || replaced->model == "m"),
       "a model that was put in is found again");
  for (const Dialect* target : AllDialects()) {
    Warnings warnings;
    const auto rendered = target->RenderRequest(*chat, warnings);
    if (rendered.ok() && target == &dialect)
      Must(dialect.ParseRequest(*rendered).ok(), "a request that was rendered parses again");
  }
}

void FeedReply(const Dialect& dialect, std::string_view body) {
  const auto reply = dialect.ParseReply(body);
  if (!reply.ok())
    return Must(FaultOf(reply.status()) == Fault::kProviderBadReply, "a bad reply is its provider's fault");
  for (const Dialect* target : AllDialects()) {
    Warnings warnings;
    const std::string rendered = target->RenderReply(*reply, warnings);
    if (target == &dialect) Must(dialect.ParseReply(rendered).ok(), "a reply that was rendered parses again");
  }
}

}  // namespace
}  // namespace llm_router

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llm_router;
  const Dialect& dialect = *FindDialect(FUZZ_DIALECT);
  const std::string_view body = fuzz::TextOf(data, size);
  FeedRequest(dialect, body);
  FeedReply(dialect, body);
  (void)dialect.ParseError(body);
  return 0;
}
