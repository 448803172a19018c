#include "broker_adapters/embedded/limits.h"

#include <fmt/format.h>

#include "proto/fault.h"

namespace llm_router {

absl::Status CheckBody(std::string_view what, size_t bytes, size_t limit) {
  if (bytes <= limit) return absl::OkStatus();
  return MakeFault(Fault::kTooLarge,
                   fmt::format("the {}'s body has {} bytes, over the limit of {}: make it shorter, or raise "
                               "limits.body",
                               what, bytes, limit));
}

}  // namespace llm_router
