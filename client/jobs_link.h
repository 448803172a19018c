// JobsLink: what a Client and its handles ask on llm_jobs, with the patience that lets a server restart in
// the middle.
//
// Shared by the Client and its handles. Any thread; each call blocks its caller's.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/clock.h"
#include "client/canceller.h"
#include "client/connection.h"

namespace llm_router::client {

enum class Repeat { kNo, kYes };

class JobsLink {
 public:
  explicit JobsLink(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // The body of the answer to `ask`, waited for until `until`, but not longer than Options::timeout. With
  // Repeat::kYes it is asked again while the server or the jobs service is away, once they have been met: who
  // was never there is not waited for.
  absl::StatusOr<std::string> Ask(std::string ask, Repeat repeat, const Canceller& canceller = {},
                                  TimePoint until = TimePoint::max());

  const Options& options() const { return connection_->options(); }

 private:
  absl::StatusOr<std::string> AskOnce(const std::string& ask, TimePoint until, const Canceller& canceller);
  bool MayPass(const absl::Status& failure) const;
  absl::Status Explain(absl::Status failure) const;

  const std::shared_ptr<Connection> connection_;
  std::atomic<bool> met_ = false;  // the jobs service has answered
};

}  // namespace llm_router::client
