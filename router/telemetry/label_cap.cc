#include "router/telemetry/label_cap.h"

#include "broker_adapters/base/utf8.h"

namespace llm_router {
namespace {

constexpr size_t kLongest = 128;  // bytes

}  // namespace

std::string_view LabelCap::Admit(std::string_view value) {
  if (admitted_.contains(KeyOf(value))) return value;
  if (admitted_.size() >= most_ || value.size() > kLongest || FirstBadUtf8(value)) return kOtherLabel;
  admitted_.emplace(value);
  return value;
}

}  // namespace llm_router
