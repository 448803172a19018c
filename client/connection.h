// Connection: a Client's one connection to the server, and the loop thread on which all of it happens.
//
// Shared by the Client and the handles it gave out (jobs, batches): whichever goes last frees it. The Client
// closes it; what is asked then fails with cancelled. `Post` and `Ask` from any thread; the rest on the loop.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "broker_adapters/reply_streams.h"
#include "client/canceller.h"
#include "client/client.h"

namespace llm_router::client {

class Connection {
 public:
  explicit Connection(Options options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Ends what is under way with cancelled, and waits for its end. May be repeated; not on the loop.
  void Close();

  // What is wrong with the options; OK: the loop runs.
  absl::Status usable() const { return wire_.status(); }
  const Options& options() const { return options_; }

  // Asks and waits, blocking. Only where it is usable().
  absl::StatusOr<Reply> Ask(Query query, const Canceller& canceller);

  // Runs `start` on the loop. Only where it is usable().
  template <class Function>
  void Post(Function&& start) {
    loop_.Post(std::forward<Function>(start));
  }

  // ---- on the loop ----

  // Until Close().
  bool is_open() const { return broker_ != nullptr; }
  TaskGroup& tasks() { return *tasks_; }
  Broker& broker() { return *broker_; }
  ReplyStreams& streams() { return *streams_; }
  // The broker's, its failures explained.
  Awaitable<absl::StatusOr<Reply>> Request(Query query);
  // What only this side can word well: the Client is going away, nobody is there, nobody answers.
  Awaitable<absl::Status> Explain(absl::Status failure, std::string channel);

 private:
  struct Call;
  Awaitable<void> Open();
  Awaitable<void> RunClose();
  Awaitable<void> Run(std::shared_ptr<Call> call, Query query);

  const Options options_;
  const absl::StatusOr<KubemqOptions> wire_;  // or what is wrong with options_
  bool closed_ = false;                       // touched by the threads that close, one after the other
  Loop loop_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<ReplyStreams> streams_;
  std::unique_ptr<TaskGroup> tasks_;
};

}  // namespace llm_router::client
