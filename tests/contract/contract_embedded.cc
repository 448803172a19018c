// The embedded broker under the contract: one engine in this process, so every connection is the broker.
#include "broker_adapters/embedded/embedded_broker.h"
#include "tests/contract/harness.h"

namespace llm_router::test {
namespace {

class EmbeddedHarness : public Harness {
 public:
  explicit EmbeddedHarness(Loop& loop) : broker_(MakeEmbeddedBroker(loop.executor(), EmbeddedOptions())) {}

  Awaitable<Broker*> Connect() override { co_return broker_.get(); }
  Awaitable<void> Stop() override { co_await broker_->Stop(); }

 private:
  const std::unique_ptr<Broker> broker_;
};

}  // namespace

std::unique_ptr<Harness> MakeHarness(Loop& loop) { return std::make_unique<EmbeddedHarness>(loop); }

}  // namespace llm_router::test
