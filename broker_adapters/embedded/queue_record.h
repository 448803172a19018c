// KeptMessage: one message of a queue, and its form on disk.
//
// Values; pure; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"

namespace llm_router {

// What never changes about a message while it is kept.
struct KeptMessage {
  KeptMessage() = default;

  Message message;
  int64_t sent_at = 0;  // Unix ns
  std::string rerouted_from;
  int max_deliveries = 0;   // 0 = no limit
  std::string dead_letter;  // queue for what used them up; empty = dropped
};

// The message's channel, which is the queue it is in, is part of it: it can't turn up in another.
std::string Encode(const KeptMessage& kept);
// data_loss when the bytes are no message.
absl::StatusOr<KeptMessage> Decode(const std::string& bytes);

// A message's place in a queue.
struct Place {
  Place() = default;

  int64_t id = 0;         // order over all queues; the row's
  uint64_t sequence = 0;  // order in its queue, from 1
  int64_t expires = 0;    // Unix ns, 0 = never
  int deliveries = 0;     // those that count so far
};

// A checksum over the record and all that says whose it is and how it is treated.
uint32_t Checksum(int64_t queue, const Place& place, int64_t due, std::string_view record);
uint32_t Checksum(std::initializer_list<int64_t> numbers, std::string_view text);

}  // namespace llm_router
