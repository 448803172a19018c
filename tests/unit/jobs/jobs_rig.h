// JobsRig: a jobs service over an embedded broker with queues and a store, in a folder of its own; and
// workers as the journal and the queues see them. Broker, store and service can end and begin again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/broker.h"
#include "proto/fault.h"
#include "proto/json_fields.h"
#include "router/jobs/jobs_service.h"
#include "router/store/sqlite_store.h"
#include "tests/support/temporary_folder.h"

namespace llm_router::test {

class JobsRig {
 public:
  explicit JobsRig(Loop& loop);

  // Opens what is not open; false when it can't, as on a disk that failed.
  Awaitable<bool> Open();
  // Also what an error left half open.
  Awaitable<void> Close();
  // The service and its store alone.
  Awaitable<void> Restart();

  // What llm_jobs answers; the failure where it refuses.
  Awaitable<absl::StatusOr<contract::Json>> Ask(std::string question, std::string tenant = "acme");
  Awaitable<std::string> Submit(std::string body, Tags tags = {}, std::string tenant = "acme");
  Awaitable<contract::Job> Find(std::string job, std::string tenant = "acme");
  // Asked again and again until it is so, ten seconds at most.
  Awaitable<contract::Job> Await(std::string job, contract::JobState state);

  // Counted again and again until that many are marked as fed, ten seconds at most.
  Awaitable<RouteCount> AwaitFed(int64_t fed);

  // A worker's heartbeat.
  void Beat(std::string worker, int64_t job_capacity = 10, bool leaving = false);
  Awaitable<std::vector<Delivery>> Receive(size_t max = 1, Milliseconds wait = std::chrono::seconds(10));
  Awaitable<absl::StatusOr<contract::Begun>> Begin(std::string job, std::string run, std::string worker);
  Awaitable<absl::StatusOr<contract::FinishVerdict>> Finish(contract::Finish finish);
  Awaitable<absl::Status> Settle(const Delivery& delivery, Settlement::Verdict verdict);

  Executor executor() { return loop_.executor(); }
  Broker& broker() { return *broker_; }
  Store& store() { return *store_; }

  JobsOptions options;        // of the next service
  SqliteStoreOptions stored;  // of the next store
  std::string vfs;            // of the next broker and store

 private:
  Awaitable<absl::StatusOr<Reply>> Query(std::string_view channel, std::string body, std::string tenant);

  Loop& loop_;
  const TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<JobsService> service_;
};

// Its result is the run's, so that a second one would show.
contract::Finish ResultOf(std::string job, std::string run);
contract::Finish FailureOf(std::string job, std::string run, Fault fault);

}  // namespace llm_router::test
