// What a KubeMQ server refuses, in the order and the words of KubeMQ community server v2.4.0: our door says
// so, our adapter need not even ask.
//
// Each check returns the text to refuse with, or nothing when all is well. Beyond that server, control
// characters count as white space (one TAB in a channel stalls all of that server's queries) and names are at
// most 1024 bytes long. Pure; any thread.
#pragma once

#include <string_view>

#include "kubemq.pb.h"

namespace llm_router::kubemq_check {

std::string_view Request(const kubemq::Request& request);
std::string_view Response(const kubemq::Response& response);
std::string_view Event(const kubemq::Event& event);
std::string_view RequestsSubscription(const kubemq::Subscribe& subscribe);
std::string_view EventsSubscription(const kubemq::Subscribe& subscribe);
// A channel that something is sent to, or that is created.
std::string_view Channel(std::string_view channel);

}  // namespace llm_router::kubemq_check
