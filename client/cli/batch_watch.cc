#include "client/cli/batch_watch.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "client/cli/answer_json.h"
#include "client/cli/batch.h"
#include "client/cli/console.h"
#include "client/cli/jobs_json.h"
#include "client/cli/pace.h"

namespace llm_router::cli {
namespace {

using client::BatchState;
using client::BatchStatus;

int Report(const BatchStatus& status, bool json, std::ostream& out, std::ostream& err) {
  if (json) out << OneLine(ToJson(status)) << std::endl;
  err << status.id << ' ' << NameOf(status.state) << ": " << CountsOf(status) << '\n';
  if (status.done() > 0) err << "results: llm-router batch results " << status.id << " -o FILE\n";
  return status.state == BatchState::kCompleted && status.failed == 0 ? kDone : kFailed;
}

}  // namespace

int Watch(const client::Batch& batch, const BatchWatchOptions& options, const client::Canceller& canceller,
          std::ostream& out, std::ostream& err) {
  ProgressLine line(options.progress, err);
  Pace pace;
  client::BatchWait wait;
  wait.canceller = canceller;
  wait.on_progress = [&](const BatchStatus& status) {
    if (status.total == 0) return;
    const auto done = static_cast<size_t>(status.done());
    const auto total = static_cast<size_t>(status.total);
    pace.Add(Now(), done);
    line.Show(done, static_cast<size_t>(status.failed), total, pace.Words(total));
  };
  const auto status = batch.Wait(wait);
  line.Clear();
  if (status.ok()) return Report(*status, options.json, out, err);
  if (!canceller.cancelled()) return Fail(status.error(), err);
  err << "note: the batch goes on; `llm-router batch watch " << batch.id() << "` shows it again\n";
  return kInterrupted;
}

int RunBatchWatch(const BatchWatchOptions& options, const client::Canceller& canceller, std::ostream& out,
                  std::ostream& err) {
  client::Client client(options.server);
  const auto batch = client.FindBatch(options.id);
  if (!batch.ok()) return Fail(batch.error(), err);
  return Watch(*batch, options, canceller, out, err);
}

}  // namespace llm_router::cli
