#include "router/pipeline/series.h"

#include "proto/contract.h"

namespace llm_router {

Operation OperationOf(const Exchange& exchange) {
  const Dialect* const dialect = exchange.dialect;
  if (dialect == nullptr) return Operation::kUnknown;
  if (dialect->kind() == DialectKind::kEmbeddings) return Operation::kEmbeddings;
  if (dialect->kind() == DialectKind::kTokenCount) return Operation::kCountTokens;
  return dialect->name() == contract::dialect::kOpenAiCompletions ? Operation::kTextCompletion
                                                                  : Operation::kChat;
}

QuerySeries* SeriesOf(const Exchange& exchange) {
  const std::string_view tenant =
      TagOr(exchange.query.message.tags, contract::tag::kTenant, contract::kDefaultTenant);
  const Operation operation = OperationOf(exchange);
  if (exchange.target != nullptr && exchange.target->series != nullptr)
    return &exchange.target->series->Of(tenant, operation);
  if (exchange.route.series == nullptr) return nullptr;
  return &exchange.route.series->without_target().Of(tenant, operation);
}

}  // namespace llm_router
