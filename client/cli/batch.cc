#include "client/cli/batch.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <vector>

#include "client/cli/answer_json.h"
#include "client/cli/console.h"
#include "client/cli/jobs_json.h"
#include "client/cli/table.h"

namespace llm_router::cli {
namespace {

using client::BatchStatus;
using Json = nlohmann::ordered_json;

std::string InWords(const BatchStatus& batch) {
  std::string words = fmt::format("id        {}\nstate     {}\nlines     {}\n", batch.id, NameOf(batch.state),
                                  CountsOf(batch));
  if (!batch.route.empty()) words += fmt::format("route     {}\n", batch.route);
  words += fmt::format("created   {}\n", TimeOf(batch.created_at));
  if (!IsFinal(batch.state)) words += fmt::format("expires   {}\n", TimeOf(batch.expires_at));
  for (const std::int64_t ended :
       {batch.completed_at, batch.failed_at, batch.expired_at, batch.cancelled_at}) {
    if (ended != 0) words += fmt::format("ended     {}\n", TimeOf(ended));
  }
  for (const auto& [key, value] : batch.metadata) words += fmt::format("metadata  {}: {}\n", key, value);
  return words;
}

// A file to write to, or `out` where its name is "-".
class Output {
 public:
  Output(const std::string& name, std::ostream& out) : name_(name), out_(out) {}

  // What is wrong; empty when nothing is.
  std::string Open() {
    if (name_ == "-") return {};
    errno = 0;
    file_.emplace(name_, std::ios::binary | std::ios::trunc);
    if (*file_) return {};
    return fmt::format("{}: can't be written: {}: check its folder and permissions", name_,
                       std::strerror(errno));
  }
  std::ostream& stream() { return file_ ? *file_ : out_; }
  std::string place() const { return name_ == "-" ? "standard output" : name_; }

 private:
  const std::string name_;
  std::ostream& out_;
  std::optional<std::ofstream> file_;
};

// One sort of lines into one output; the exit code.
int WriteRows(const client::Batch& batch, client::Lines which, Output& output, std::ostream& err) {
  const auto count = batch.Results(output.stream(), which);
  if (!count.ok()) return Fail(count.error(), err);
  err << *count << (*count == 1 ? " row in " : " rows in ") << output.place() << '\n';
  return kDone;
}

}  // namespace

std::string CountsOf(const BatchStatus& status) {
  std::string words = fmt::format("{} of {} done", status.done(), status.total);
  if (status.failed > 0) words += fmt::format(", {} failed", status.failed);
  if (status.running > 0) words += fmt::format(", {} running", status.running);
  if (status.bad_lines > 0) words += fmt::format(", {} bad", status.bad_lines);
  return words;
}

int RunBatchList(const BatchListOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto batches = client.Batches(options.most);
  if (!batches.ok()) return Fail(batches.error(), err);
  if (options.json) {
    Json list = Json::array();
    for (const BatchStatus& batch : *batches) list.push_back(ToJson(batch));
    out << OneLine(list) << std::endl;
    return kDone;
  }
  std::vector<Row> rows = {{"ID", "STATE", "DONE", "FAILED", "TOTAL", "CREATED (UTC)"}};
  for (const BatchStatus& batch : *batches) {
    rows.push_back({batch.id, std::string(NameOf(batch.state)), fmt::format("{}", batch.done()),
                    fmt::format("{}", batch.failed), fmt::format("{}", batch.total),
                    TimeOf(batch.created_at)});
  }
  if (rows.size() > 1) out << ToTable(rows) << std::flush;
  if (rows.size() == 1) err << "note: no batch yet; `llm-router batch submit FILE` makes one\n";
  return kDone;
}

int RunBatchStatus(const BatchIdOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto batch = client.FindBatch(options.id);
  if (!batch.ok()) return Fail(batch.error(), err);
  const auto status = batch->Progress();
  if (!status.ok()) return Fail(status.error(), err);
  std::vector<client::BadLine> bad;
  if (status->bad_lines > 0) {
    const auto read = batch->Errors([&](const client::BadLine& line) { bad.push_back(line); });
    if (!read.ok()) return Fail(read.error(), err);
  }
  if (options.json) {
    Json json = ToJson(*status);
    Json& errors = json["errors"] = Json::array();
    for (const client::BadLine& line : bad) errors.push_back(ToJson(line));
    out << OneLine(json) << std::endl;
    return kDone;
  }
  out << InWords(*status);
  for (const client::BadLine& line : bad) out << fmt::format("line {}: {}\n", line.line, line.message);
  out << std::flush;
  return kDone;
}

int RunBatchCancel(const BatchIdOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto batch = client.FindBatch(options.id);
  if (!batch.ok()) return Fail(batch.error(), err);
  const auto status = batch->Cancel();
  if (!status.ok()) return Fail(status.error(), err);
  if (options.json) {
    out << OneLine(ToJson(*status)) << std::endl;
  } else {
    out << status->id << ' ' << NameOf(status->state) << ", " << CountsOf(*status) << std::endl;
  }
  return kDone;
}

int RunBatchResults(const BatchResultsOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto batch = client.FindBatch(options.id);
  if (!batch.ok()) return Fail(batch.error(), err);
  const auto status = batch->Progress();
  if (!status.ok()) return Fail(status.error(), err);
  Output output(options.output, out);
  if (const std::string wrong = output.Open(); !wrong.empty()) return FailUsage(wrong, err);
  const bool apart = !options.errors.empty();
  const int code = WriteRows(*batch, apart ? client::Lines::kCompleted : client::Lines::kAll, output, err);
  if (code != kDone) return code;
  if (apart) {
    Output errors(options.errors, out);
    if (const std::string wrong = errors.Open(); !wrong.empty()) return FailUsage(wrong, err);
    if (const int failed = WriteRows(*batch, client::Lines::kFailed, errors, err); failed != kDone)
      return failed;
  }
  if (!IsFinal(status->state)) {
    err << "note: the batch is " << NameOf(status->state) << ": these are the lines finished so far\n";
  }
  return kDone;
}

}  // namespace llm_router::cli
