// StoreBench: a store in a folder of its own, which can be closed and opened again between any two calls.
#pragma once

#include <memory>
#include <string>

#include "broker_adapters/base/loop.h"
#include "router/store/sqlite_store.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

namespace llm_router::test {

inline constexpr int64_t kStart = 1'700'000'000'000;  // Unix ms

class StoreBench {
 public:
  // `restarts`: before every call.
  StoreBench(Loop& loop, bool restarts) : loop_(loop), restarts_(restarts) { Open(); }

  // The store, perhaps another than before.
  Awaitable<Store*> store() {
    if (restarts_) {
      co_await Close();
      Open();
    }
    co_return store_.get();
  }
  Awaitable<void> Close() {
    co_await store_->Stop();
    store_.reset();
  }
  void Open() {
    SqliteStoreOptions options;
    options.folder = folder_.path();
    options.max_bytes = max_bytes;
    auto opened = OpenSqliteStore(loop_.executor(), options);
    if (!opened.ok()) FAIL(opened.status().ToString());
    store_ = *std::move(opened);
  }
  std::filesystem::path file() const { return folder_.path() / "jobs.sqlite"; }

  uint64_t max_bytes = SqliteStoreOptions().max_bytes;

 private:
  Loop& loop_;
  const bool restarts_;
  const TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

inline NewJob JobOf(std::string id, std::string tenant = "acme", std::string route = "openai") {
  NewJob job;
  job.id = std::move(id);
  job.tenant = std::move(tenant);
  job.route = std::move(route);
  job.body = "prompt of " + job.id;
  job.tags = {{"model", "m"}};
  return job;
}

inline BeginRun BeginOf(std::string job, std::string run, std::string dead_run = "") {
  BeginRun begin;
  begin.ask.job = std::move(job);
  begin.ask.run = std::move(run);
  begin.ask.worker = "worker-of-" + begin.ask.run;
  begin.ask.route = "openai";
  begin.dead_run = std::move(dead_run);
  return begin;
}

inline FinishRun FinishOf(std::string job, std::string run,
                          contract::Outcome outcome = contract::Outcome::kResult,
                          absl::Status failure = absl::OkStatus()) {
  FinishRun finish;
  finish.ask.job = std::move(job);
  finish.ask.reply.executed = outcome == contract::Outcome::kResult;
  finish.ask.reply.body = "{\"of\":\"" + run + "\"}";
  finish.ask.run = std::move(run);
  finish.ask.outcome = outcome;
  finish.ask.failure = std::move(failure);
  return finish;
}

inline FeedLimits Room(int64_t room) {
  FeedLimits limits;
  limits.room = room;
  return limits;
}

// The store, opened anew where the bench restarts; in a coroutine.
#define STORE(bench) (*co_await (bench).store())

}  // namespace llm_router::test
