// The embedded broker under the contract: one engine in this process, so every connection is the broker.
#include <stdexcept>

#include "broker_adapters/embedded/embedded_broker.h"
#include "tests/contract/harness.h"
#include "tests/support/temporary_folder.h"

namespace llm_router::test {
namespace {

class EmbeddedHarness : public Harness {
 public:
  explicit EmbeddedHarness(Loop& loop) {
    QueueOptions queues;
    queues.folder = folder_.path();
    auto broker = OpenEmbeddedBroker(loop.executor(), EmbeddedOptions(), queues);
    if (!broker.ok()) throw std::runtime_error(broker.status().ToString());
    broker_ = *std::move(broker);
  }

  Awaitable<Broker*> Connect() override { co_return broker_.get(); }
  Awaitable<void> Stop() override { co_await broker_->Stop(); }

 private:
  const TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
};

}  // namespace

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return std::make_unique<EmbeddedHarness>(loop); }

}  // namespace llm_router::test
