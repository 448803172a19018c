// What the REST door reads of a stranger: JSON as each message of the wire, and a URL's query.
#include <google/protobuf/util/message_differencer.h>

#include "kubemq.pb.h"
#include "router/gateway/kubemq_json.h"
#include "router/net/url_query.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

template <class Wire>
void Feed(std::string_view text) {
  Wire message;
  if (!ReadKubemqJson(text, message).ok()) return;
  Wire again;
  fuzz::Must(ReadKubemqJson(WriteKubemqJson(message), again).ok(), "what is written is read");
  fuzz::Must(google::protobuf::util::MessageDifferencer::Equals(message, again), "and is the same");
}

}  // namespace
}  // namespace llm_router

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llm_router;
  const std::string_view text = fuzz::TextOf(data, size);
  Feed<kubemq::Request>(text);
  Feed<kubemq::Response>(text);
  Feed<kubemq::Event>(text);
  Feed<kubemq::QueueMessage>(text);
  Feed<kubemq::QueueMessagesBatchRequest>(text);
  Feed<kubemq::ReceiveQueueMessagesRequest>(text);
  Feed<kubemq::StreamQueueMessagesRequest>(text);
  if (const auto query = ParseUrlQuery(text); query.ok()) {
    for (const auto& [name, value] : *query)
      fuzz::Must(name.size() + value.size() <= size, "an escape makes nothing longer");
  }
  return 0;
}
