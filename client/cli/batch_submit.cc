#include "client/cli/batch_submit.h"

#include <fmt/format.h>

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "client/cli/answer_json.h"
#include "client/cli/batch_watch.h"
#include "client/cli/console.h"
#include "client/cli/jobs_json.h"
#include "client/cli/usual_route.h"

namespace llm_router::cli {
namespace {

using client::ErrorCode;

client::Result<client::Batch> Submit(client::Client& client, const BatchSubmitOptions& options,
                                     const client::BatchOptions& batch, std::istream& in) {
  return options.file == "-" ? client.SubmitBatch(in, batch) : client.SubmitBatch(options.file, batch);
}

int WhyNot(const client::Error& error, const client::Canceller& canceller, std::ostream& err) {
  if (canceller.cancelled()) {
    err << "note: interrupted: nothing of it runs\n";
    return kInterrupted;
  }
  const bool is_input = error.code == ErrorCode::kInvalidRequest || error.code == ErrorCode::kTooLarge;
  return is_input ? FailUsage(error.message, err) : Fail(error, err);
}

int WriteStatus(const client::Batch& batch, std::ostream& out, std::ostream& err) {
  const auto status = batch.Progress();
  if (!status.ok()) return Fail(status.error(), err);
  out << OneLine(ToJson(*status)) << std::endl;
  return kDone;
}

}  // namespace

int RunBatchSubmit(const BatchSubmitOptions& options, const client::Canceller& canceller, std::istream& in,
                   std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  client::BatchOptions wanted = options.batch;
  if (wanted.text && wanted.route.empty()) {
    const auto route = UsualRoute(client);
    if (!route.ok()) return Fail(route.error(), err);
    wanted.route = *route;
  }
  const std::string name = options.file == "-" ? "standard input" : options.file;
  wanted.canceller = canceller;
  wanted.on_bad_line = [&](const client::BadLine& bad) {
    err << fmt::format("{}:{}: {}{}\n", name, bad.line, bad.param.empty() ? "" : bad.param + ": ",
                       bad.message);
  };
  const auto batch = Submit(client, options, wanted, in);
  if (!batch.ok()) return WhyNot(batch.error(), canceller, err);
  if (!options.json) out << batch->id() << std::endl;
  if (!options.watch) return options.json ? WriteStatus(*batch, out, err) : kDone;
  BatchWatchOptions watch;
  watch.json = options.json;
  watch.progress = options.progress;
  return Watch(*batch, watch, canceller, out, err);
}

}  // namespace llm_router::cli
