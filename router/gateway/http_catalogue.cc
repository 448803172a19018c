#include "router/gateway/http_catalogue.h"

#include <algorithm>
#include <iterator>

namespace llm_router {
namespace {

// A worker that went without a word is missed this much later than by the roster.
constexpr Milliseconds kOldAfter{250};

}  // namespace

void HttpCatalogue::Read() {
  heard_ = false;
  read_at_ = Now();
  all_ = roster_.Routes();
  by_caller_.clear();
}

std::span<const contract::RouteModels> HttpCatalogue::All() {
  if (Now() - read_at_ > kOldAfter) Read();
  return all_;
}

bool HttpCatalogue::ReadAgain() {
  if (!heard_) return false;
  Read();
  return true;
}

std::span<const contract::RouteModels> HttpCatalogue::Of(const CallerPtr& caller) {
  const auto all = All();
  if (caller->routes.empty()) return all;
  const auto [row, is_new] = by_caller_.try_emplace(caller);
  if (is_new) {
    std::ranges::copy_if(all, std::back_inserter(row->second), [&](const contract::RouteModels& models) {
      return caller->MayUseRoute(models.route);
    });
  }
  return row->second;
}

}  // namespace llm_router
