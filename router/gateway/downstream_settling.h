// What a QueuesDownstream request asks to be done with what was received. Pure; any thread.
#pragma once

#include <string_view>

#include "broker_adapters/broker.h"
#include "kubemq.pb.h"

namespace llm_router {

// What is asked for in so many words; the two of each verb differ in whether they name sequences.
enum class Deed { kAck, kNack, kRequeue, kClose };

struct SettlingRow {
  kubemq::QueuesDownstreamRequestType type;
  Deed deed;
  bool is_range;
  std::string_view nothing;  // to settle
  std::string_view unknown;  // sequence; its number follows
};

// Null for a request that settles nothing.
const SettlingRow* SettlingOf(const kubemq::QueuesDownstreamRequest& request);
// What stands against settling, if something does.
std::string_view SettlingFault(const SettlingRow& row, const kubemq::QueuesDownstreamRequest& request);
// Of a request without a fault.
Settlement SettlementOf(const SettlingRow& row, const kubemq::QueuesDownstreamRequest& request);

// The request's Metadata (kubemq_queue_text.h): empty where it has none of that key.
std::string_view MetadataOr(const kubemq::QueuesDownstreamRequest& request, std::string_view key);
bool Asks(const kubemq::QueuesDownstreamRequest& request, std::string_view key);

}  // namespace llm_router
