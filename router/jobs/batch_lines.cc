#include "router/jobs/batch_lines.h"

#include <boost/asio/post.hpp>
#include <string_view>
#include <utility>
#include <variant>

#include "broker_adapters/base/ids.h"
#include "router/jobs/batch_input.h"

namespace llm_router {
namespace {

constexpr size_t kBytesAtOnce = size_t{32} * 1024;

}  // namespace

Awaitable<AppendedLines> ReadBatchLines(contract::AppendLines ask, contract::BatchOptions options,
                                        std::vector<contract::RouteModels> routes) {
  AppendedLines appended;
  appended.batch = ask.batch;
  appended.first_line = ask.first_line;
  appended.bytes = static_cast<int64_t>(ask.data.size());
  const auto executor = co_await boost::asio::this_coro::executor;
  int64_t number = ask.first_line;
  size_t bytes = 0;
  for (const std::string_view line : LinesOf(ask.data)) {
    auto& kept = appended.lines.emplace_back();
    bytes += line.size();
    if (bytes > kBytesAtOnce) {
      bytes = 0;
      (void)co_await boost::asio::post(executor, kUseTuple);
    }
    const int64_t its_number = number++;
    if (IsBlank(line)) continue;
    auto read = ReadBatchLine(line, its_number, options, routes);
    if (auto* error = std::get_if<contract::BatchError>(&read)) {
      kept = std::move(*error);
      continue;
    }
    auto& good = std::get<BatchLine>(read);
    LineQuery query;
    query.job = NewId();
    query.custom_id = std::move(good.custom_id);
    query.route = std::move(good.route);
    query.body = std::move(good.body);
    query.tags = std::move(good.tags);
    kept = std::move(query);
  }
  co_return appended;
}

}  // namespace llm_router
