// Replies of workers that are not ours, made into what the caller's API knows. A subscriber of any KubeMQ SDK
// answers with bare text, and knows nothing of streams. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker_adapters/broker.h"

namespace llm_router {

// A body without a content type is text: makes it a reply of that dialect, where it is one of chats.
void DressText(std::string_view dialect, std::string_view model, Reply& reply);

// A whole reply as the events of a stream. Nothing: it is none of that dialect, or the dialect has no
// streams.
std::optional<std::string> AsEvents(std::string_view dialect, std::string_view body);

}  // namespace llm_router
