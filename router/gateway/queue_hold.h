// QueueHold: messages taken off a queue that are on their way to a caller; back at their places, not counted,
// unless they were handed over.
//
//   QueueHold hold(server);
//   hold.Take(delivery.receipt);     // for each
//   ... hand the answer over ...
//   hold.Acknowledge();              // never called: they are released when the hold goes
//
// Settling goes on in the background, among the server's tasks: a caller that went away does not stop it.
// When the server's grace is over nothing is settled any more: the broker's end gives back what it leased.
// Owned by one call; loop thread only; not after its server.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "broker_adapters/broker.h"
#include "router/gateway/kubemq_server.h"

namespace llm_router {

class QueueHold {
 public:
  explicit QueueHold(KubemqServer& server) : server_(&server) {}
  ~QueueHold() { Release(); }
  QueueHold(QueueHold&& other) noexcept
      : server_(other.server_), receipts_(std::exchange(other.receipts_, {})) {}
  QueueHold& operator=(QueueHold&&) = delete;

  void Take(Receipt receipt) { receipts_.push_back(std::move(receipt)); }
  // Messages that could not be acknowledged are released, and the log says so.
  void Acknowledge();
  void Release();
  bool empty() const { return receipts_.empty(); }

  // Gives the receipts into the caller's care.
  std::vector<Receipt> LetGo() { return std::exchange(receipts_, {}); }

 private:
  KubemqServer* server_;
  std::vector<Receipt> receipts_;
};

}  // namespace llm_router
