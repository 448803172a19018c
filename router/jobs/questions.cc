#include "router/jobs/questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/jobs/aborts.h"
#include "router/jobs/batch_file.h"
#include "router/jobs/batch_lines.h"
#include "router/jobs/new_job.h"
#include "router/roster/unserved_route.h"

namespace llm_router {
namespace {

// A value as the body of a reply.
template <class Value>
absl::StatusOr<std::string> AsBody(const absl::StatusOr<Value>& value) {
  if (!value.ok()) return value.status();
  return ToJson(*value);
}

}  // namespace

Awaitable<absl::StatusOr<std::string>> Questions::Answer(const Message& question) {
  std::string tenant(TagOr(question.tags, contract::tag::kTenant, contract::kDefaultTenant));
  CO_ASSIGN_OR_RETURN(auto asked, contract::ParseJobsQuestion(question.body));
  Body answer = std::visit([&](auto& ask) { return Do(std::move(tenant), std::move(ask)); }, asked);
  co_return co_await std::move(answer);
}

std::vector<contract::RouteModels> Questions::Routes() const {
  std::vector<contract::RouteModels> routes = roster_.Routes();
  for (const contract::RouteModels& configured : options_.routes) {
    const auto same = [&](const contract::RouteModels& heard) { return heard.route == configured.route; };
    if (std::none_of(routes.begin(), routes.end(), same)) routes.push_back(configured);
  }
  return routes;
}

std::vector<contract::RouteModels> Questions::RoutesFor(const contract::BatchOptions& options) const {
  std::vector<contract::RouteModels> routes = Routes();
  if (options.routes.empty()) return routes;
  std::erase_if(routes, [&](const contract::RouteModels& row) {
    return std::ranges::find(options.routes, row.route) == options.routes.end();
  });
  return routes;
}

absl::Status Questions::CheckRoute(const std::string& route) const {
  const std::vector<contract::RouteModels> routes = Routes();
  const auto same = [&](const contract::RouteModels& known) { return known.route == route; };
  if (effects_.is_kept(route) || std::any_of(routes.begin(), routes.end(), same)) return absl::OkStatus();
  return UnservedRoute(route, routes);
}

Questions::Body Questions::Do(std::string tenant, contract::SubmitJob ask) {
  CO_RETURN_IF_ERROR(CheckRoute(ask.route));
  CO_ASSIGN_OR_RETURN(NewJob made, MakeNewJob(std::move(tenant), std::move(ask.route), std::move(ask.body),
                                              std::move(ask.tags)));
  const auto job = co_await store_.Submit(std::move(made), options_.unix_ms());
  if (job.ok()) effects_.changed();
  co_return AsBody(job);
}

Questions::Body Questions::Do(std::string tenant, contract::AboutJob ask) {
  using enum contract::AboutJob::Op;
  if (ask.op == kCancel) co_return co_await CancelJob(std::move(tenant), std::move(ask.job));
  if (ask.op != kRetry)
    co_return AsBody(co_await store_.Find(std::move(tenant), std::move(ask.job), ask.op == kResult));
  const auto job = co_await store_.Retry(std::move(tenant), std::move(ask.job), options_.unix_ms());
  if (job.ok()) effects_.changed();
  co_return AsBody(job);
}

Questions::Body Questions::CancelJob(std::string tenant, std::string job) {
  const int64_t now = options_.unix_ms();
  const auto cancelled = co_await store_.Cancel(std::move(tenant), std::move(job), now);
  if (!cancelled.ok()) co_return cancelled.status();
  if (cancelled->aborted) TellToDrop(broker_, *cancelled->aborted, now);
  effects_.changed();
  co_return ToJson(cancelled->job);
}

Questions::Body Questions::Do(std::string tenant, contract::ListJobs ask) {
  co_return AsBody(co_await store_.List(std::move(tenant), std::move(ask)));
}

Questions::Body Questions::Do(std::string tenant, contract::CreateBatch ask) {
  if (!ask.options.route.empty()) CO_RETURN_IF_ERROR(CheckRoute(ask.options.route));
  if (!ask.options.input_file.empty()) co_return co_await CreateFromFile(std::move(tenant), std::move(ask));
  co_return AsBody(
      co_await store_.CreateBatch(std::move(tenant), NewId(), std::move(ask), options_.unix_ms()));
}

// Repeatable, where it has a key: lines that are there already are passed over.
Questions::Body Questions::CreateFromFile(std::string tenant, contract::CreateBatch ask) {
  CO_ASSIGN_OR_RETURN(const contract::File file, co_await store_.FindFile(tenant, ask.options.input_file));
  if (!file.is_whole())
    co_return MakeFault(Fault::kInvalidRequest, "the input file is not whole: upload it to its end first");
  CO_ASSIGN_OR_RETURN(const contract::Batch batch,
                      co_await store_.CreateBatch(tenant, NewId(), std::move(ask), options_.unix_ms()));
  if (batch.state != contract::BatchState::kValidating) co_return ToJson(batch);
  const absl::Status filled =
      co_await FillFromFile(store_, tenant, batch, RoutesFor(batch.options), options_.unix_ms);
  if (filled.ok()) co_return co_await Seal(std::move(tenant), batch.id);
  (void)co_await store_.CancelBatch(std::move(tenant), batch.id, options_.unix_ms());
  co_return filled;
}

Questions::Body Questions::Seal(std::string tenant, std::string batch) {
  const auto sealed = co_await store_.SealBatch(std::move(tenant), std::move(batch), options_.unix_ms());
  if (sealed.ok()) effects_.changed();
  co_return AsBody(sealed);
}

Questions::Body Questions::Do(std::string tenant, contract::AppendLines ask) {
  const auto batch = co_await store_.FindBatch(tenant, ask.batch);
  if (!batch.ok()) co_return batch.status();
  AppendedLines lines = co_await ReadBatchLines(std::move(ask), batch->options, RoutesFor(batch->options));
  co_return AsBody(co_await store_.AppendLines(std::move(tenant), std::move(lines), options_.unix_ms()));
}

Questions::Body Questions::Do(std::string tenant, contract::AboutBatch ask) {
  using enum contract::AboutBatch::Op;
  if (ask.op == kStatus) co_return AsBody(co_await store_.FindBatch(std::move(tenant), std::move(ask.batch)));
  if (ask.op == kSeal) co_return co_await Seal(std::move(tenant), std::move(ask.batch));
  const auto cancelled =
      co_await store_.CancelBatch(std::move(tenant), std::move(ask.batch), options_.unix_ms());
  if (cancelled.ok()) effects_.ending();
  co_return AsBody(cancelled);
}

Questions::Body Questions::Do(std::string tenant, contract::ReadLines ask) {
  co_return AsBody(co_await store_.ReadLines(std::move(tenant), std::move(ask)));
}

Questions::Body Questions::Do(std::string tenant, contract::ReadErrors ask) {
  co_return AsBody(co_await store_.ReadErrors(std::move(tenant), std::move(ask)));
}

Questions::Body Questions::Do(std::string tenant, contract::ListBatches ask) {
  co_return AsBody(co_await store_.ListBatches(std::move(tenant), std::move(ask)));
}

Questions::Body Questions::Do(std::string tenant, contract::CreateFile ask) {
  contract::File file;
  file.id = fmt::format("file-{}", NewId());
  file.filename = std::move(ask.filename);
  file.purpose = std::move(ask.purpose);
  file.bytes = ask.bytes;
  co_return AsBody(co_await store_.CreateFile(std::move(tenant), std::move(file), options_.unix_ms()));
}

Questions::Body Questions::Do(std::string tenant, contract::AppendFile ask) {
  co_return AsBody(co_await store_.AppendFile(std::move(tenant), std::move(ask)));
}

Questions::Body Questions::Do(std::string tenant, contract::AboutFile ask) {
  if (ask.op == contract::AboutFile::Op::kDelete)
    co_return AsBody(co_await store_.DeleteFile(std::move(tenant), std::move(ask.file)));
  co_return AsBody(co_await store_.FindFile(std::move(tenant), std::move(ask.file)));
}

Questions::Body Questions::Do(std::string tenant, contract::ReadFile ask) {
  co_return AsBody(co_await store_.ReadFile(std::move(tenant), std::move(ask)));
}

Questions::Body Questions::Do(std::string tenant, contract::ListFiles ask) {
  co_return AsBody(co_await store_.ListFiles(std::move(tenant), std::move(ask)));
}

}  // namespace llm_router
