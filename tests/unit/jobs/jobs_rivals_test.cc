// Two jobs services on one message broker: one goes on.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "proto/fault.h"
#include "router/jobs/jobs_service.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/jobs/jobs_rig.h"

namespace llm_router {
namespace {

using namespace test;

TEST_CASE("where another jobs service answers, a second one does not start") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    const TemporaryFolder folder;
    SqliteStoreOptions stored;
    stored.folder = folder.path();
    auto store = OpenSqliteStore(loop.executor(), stored);
    REQUIRE(store.ok());
    JobsOptions options;
    options.name = "second";
    options.may_have_rivals = true;
    const auto second = co_await JobsService::Start(loop.executor(), rig.broker(), **store, options);
    CHECK(FaultOf(second.status()) == Fault::kInvalidRequest);
    co_await (*store)->Stop();
    co_await rig.Close();
  });
}

TEST_CASE("of jobs services that start in the same moment, the one whose name comes first goes on") {
  Run([](Loop& loop) -> Awaitable<void> {
    const TemporaryFolder folder;
    QueueOptions queues;
    queues.folder = folder.path();
    auto broker = OpenEmbeddedBroker(loop.executor(), {}, std::move(queues));
    REQUIRE(broker.ok());
    std::vector<std::unique_ptr<Store>> stores;
    std::map<std::string, absl::StatusOr<std::unique_ptr<JobsService>>> services;
    const auto start = [&](std::string name) -> Awaitable<void> {
      SqliteStoreOptions stored;
      stored.folder = folder.path() / name;
      stores.push_back(OpenSqliteStore(loop.executor(), stored).value());
      JobsOptions options;
      options.name = name;
      options.may_have_rivals = true;
      services[name] = co_await JobsService::Start(loop.executor(), **broker, *stores.back(), options);
    };
    TaskGroup starts(loop.executor());
    starts.Spawn(start("b"));
    starts.Spawn(start("a"));
    co_await starts.Join();
    CHECK(services["a"].ok());
    CHECK(FaultOf(services["b"].status()) == Fault::kInvalidRequest);
    for (auto& [name, service] : services) {
      if (service.ok()) co_await (*service)->Stop();
    }
    for (auto& store : stores) co_await store->Stop();
    co_await (*broker)->Stop();
  });
}

}  // namespace
}  // namespace llm_router
