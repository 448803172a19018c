#include <grpcpp/grpcpp.h>

#include "broker_adapters/base/sqlite.h"
#include "tests/bench/engine_way.h"
#include "tests/bench/stub_load.h"
#include "tests/bench/window.h"

namespace llm_router::bench {
namespace {

class Native final : public EngineWay {
 public:
  Native(const std::string& echo, const std::string& folder)
      : stub_(kubemq::kubemq::NewStub(grpc::CreateChannel(echo, grpc::InsecureChannelCredentials()))) {
    auto opened = OpenSqlite(folder + "/native.sqlite");
    if (!opened.ok()) Fail("SQLite", opened.status().ToString());
    database_ = *std::move(opened);
    database_->exec("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, body BLOB)");
  }

  std::vector<double> Requests(const Plan& plan) override {
    StubLoad load = AskByStub(*stub_, plan);
    if (load.failed > 0) Fail("bare gRPC echo", load.first_failure);
    return std::move(load.micros);
  }

  std::vector<double> Queue(const Plan& plan) override {
    SQLite::Statement insert(*database_, "INSERT INTO t(body) VALUES(?)");
    SQLite::Statement first(*database_, "SELECT id, body FROM t ORDER BY id LIMIT ?");
    SQLite::Statement remove(*database_, "DELETE FROM t WHERE id <= ?");
    const std::string body(plan.body, 'x');
    const Window window(plan);
    std::vector<double> micros;
    while (window.is_open()) {
      const TimePoint start = Now();
      PutIn(insert, body, plan.in_flight);
      TakeOut(first, remove, plan.in_flight);
      window.Count(start, micros, static_cast<size_t>(plan.in_flight));
    }
    return micros;
  }

 private:
  void PutIn(SQLite::Statement& insert, const std::string& body, int count) {
    database_->exec("BEGIN IMMEDIATE");
    for (int i = 0; i < count; ++i) {
      insert.bindNoCopy(1, body.data(), static_cast<int>(body.size()));
      insert.exec();
      insert.reset();
    }
    database_->exec("COMMIT");
  }

  void TakeOut(SQLite::Statement& first, SQLite::Statement& remove, int count) {
    int64_t last = 0;
    first.bind(1, count);
    while (first.executeStep()) {
      last = first.getColumn(0).getInt64();
      taken_ = first.getColumn(1).getString();
    }
    first.reset();
    database_->exec("BEGIN IMMEDIATE");
    remove.bind(1, last);
    remove.exec();
    remove.reset();
    database_->exec("COMMIT");
  }

  const std::unique_ptr<kubemq::kubemq::Stub> stub_;
  std::unique_ptr<SQLite::Database> database_;
  std::string taken_;  // the last one's body, so that reading it is not left out
};

}  // namespace

std::unique_ptr<EngineWay> NativeEmbedded(const std::string& echo, const std::string& folder) {
  return std::make_unique<Native>(echo, folder);
}

}  // namespace llm_router::bench
