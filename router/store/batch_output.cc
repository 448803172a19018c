#include "router/store/batch_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/json_fields.h"

namespace llm_router {
namespace {

using contract::Json;

std::string Quoted(std::string_view text) { return contract::Dump(Json(text)); }

// The status of an answer: the provider's, where one failed the line by what it said.
int StatusOf(const ResultRecord& result) {
  constexpr std::array kAnswered = {Fault::kProviderRejected, Fault::kProviderAuth, Fault::kProviderBusy,
                                    Fault::kProviderFailed};
  if (result.code.empty()) return 200;
  const auto fault = FaultNamed(result.code);
  const bool answered = fault && std::find(kAnswered.begin(), kAnswered.end(), *fault) != kAnswered.end();
  return answered && !result.reply.body.empty() ? RowOf(*fault).http : 0;
}

std::string Response(std::string_view job, int status, const contract::JobReply& reply) {
  const std::string_view asked = TagOr(reply.tags, contract::tag::kRequestId, job);
  // A body that is JSON goes in as it came.
  const bool is_json = Json::accept(reply.body);
  return fmt::format(R"({{"status_code":{},"request_id":{},"body":{}}})", status, Quoted(asked),
                     is_json ? reply.body : Quoted(reply.body));
}

// JSON may have line breaks between its tokens; a row is one line.
std::string OneLine(std::string row) {
  std::replace_if(row.begin(), row.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return row;
}

}  // namespace

std::string OutputRow(std::string_view job, std::string_view custom_id, const ResultRecord& result) {
  const int status = StatusOf(result);
  const std::string response = status == 0 ? "null" : Response(job, status, result.reply);
  const std::string error =
      status == 0 ? contract::Dump(Json{{"code", result.code}, {"message", result.message}}) : "null";
  return OneLine(fmt::format(R"({{"id":{},"custom_id":{},"response":{},"error":{}}})", Quoted(job),
                             Quoted(custom_id), response, error));
}

}  // namespace llm_router
