#include "client/convert.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

namespace dialect = contract::dialect;
namespace tag = contract::tag;
using Json = nlohmann::json;

constexpr std::chrono::hours kLongestTimeout{24};

// ErrorCode is Fault under a name that users may see; the tests compare the names one by one.
static_assert(static_cast<int>(ErrorCode::kInternal) == static_cast<int>(Fault::kInternal));
static_assert(static_cast<int>(ErrorCode::kProviderBadReply) == static_cast<int>(Fault::kProviderBadReply));

bool IsText(std::string_view named) { return named.empty() || named == dialect::kText; }

absl::Status Invalid(std::string_view sentence) { return MakeFault(Fault::kInvalidRequest, sentence); }

absl::Status CheckText(const Question& question) {
  if (!question.body.empty()) return Invalid("a body needs a dialect: name one, as in openai.chat");
  if (question.text.find_first_not_of(" \t\r\n") == std::string::npos)
    return Invalid("empty prompt: say what to ask");
  return absl::OkStatus();
}

absl::Status CheckDialect(const Question& question) {
  if (question.body.empty()) return Invalid("empty body: a dialect needs the whole request as its body");
  const bool has_others = !question.text.empty() || !question.model.empty() || !question.system.empty() ||
                          question.temperature || question.max_tokens;
  if (!has_others) return absl::OkStatus();
  return Invalid(fmt::format(
      "text, model, system, temperature and max_tokens are for text: with dialect {} put them into the body",
      question.dialect));
}

absl::StatusOr<Tags> TagsOf(const Question& question) {
  Tags tags;
  const auto set = [&tags](std::string_view key, std::string value) {
    if (!value.empty()) tags[std::string(key)] = std::move(value);
  };
  if (!IsText(question.dialect)) {
    set(tag::kDialect, question.dialect);
    set(tag::kContentType, std::string(contract::kJson));
  }
  set(tag::kModel, question.model);
  set(tag::kSystem, question.system);
  if (question.temperature) set(tag::kTemperature, fmt::format("{}", *question.temperature));
  if (question.max_tokens) set(tag::kMaxTokens, fmt::format("{}", *question.max_tokens));
  set(tag::kRequestId, question.request_id);
  if (question.fail_fast) set(tag::kFailFast, "true");
  RETURN_IF_ERROR(contract::ParseQueryTags(tags).status());
  return tags;
}

// "application/json; charset=utf-8" says application/json.
std::string_view MediaType(std::string_view content_type) {
  return content_type.substr(0, content_type.find_first_of("; "));
}

std::optional<int64_t> CountIn(const Tags& tags, std::string_view key) {
  return ParseNumber<int64_t>(TagOr(tags, key));
}

std::vector<std::string> WarningsIn(const Tags& tags) {
  std::vector<std::string> warnings;
  std::string_view rest = TagOr(tags, tag::kWarnings);
  while (!rest.empty()) {
    const size_t end = rest.find("; ");
    warnings.emplace_back(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
  }
  return warnings;
}

// The value at `path`, or null where the document is of another shape.
const Json* At(const Json& json, std::initializer_list<std::string_view> path) {
  const Json* here = &json;
  for (const std::string_view key : path) {
    if (key == "0") {
      if (!here->is_array() || here->empty()) return nullptr;
      here = &here->front();
      continue;
    }
    const auto it = here->find(key);
    if (!here->is_object() || it == here->end()) return nullptr;
    here = &*it;
  }
  return here;
}

// Both APIs write content as a string or as a list of parts, some of them text.
std::string TextIn(const Json* content) {
  if (content == nullptr) return {};
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  if (!content->is_array()) return text;
  for (const Json& part : *content) {
    const Json* piece = At(part, {"text"});
    if (piece != nullptr && piece->is_string()) text += piece->get_ref<const std::string&>();
  }
  return text;
}

std::string TextOfReply(std::string_view of_dialect, std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (of_dialect == dialect::kOpenAiChat) return TextIn(At(json, {"choices", "0", "message", "content"}));
  if (of_dialect == dialect::kAnthropicMessages) return TextIn(At(json, {"content"}));
  return {};
}

void FillFromTags(const Tags& tags, Answer& answer) {
  answer.content_type = TagOr(tags, tag::kContentType);
  answer.model = TagOr(tags, tag::kModel);
  answer.provider = TagOr(tags, tag::kProvider);
  answer.input_tokens = CountIn(tags, tag::kInputTokens);
  answer.output_tokens = CountIn(tags, tag::kOutputTokens);
  answer.attempts = CountIn(tags, tag::kAttempts).value_or(0);
  answer.warnings = WarningsIn(tags);
  answer.tags.insert(tags.begin(), tags.end());
}

absl::Status FillFromText(Answer& answer) {
  ASSIGN_OR_RETURN(contract::TextReply text,
                   contract::ParseTextReply(MediaType(answer.content_type), answer.body));
  answer.text = std::move(text.response);
  if (!text.model.empty()) answer.model = std::move(text.model);
  if (!text.provider.empty()) answer.provider = std::move(text.provider);
  if (text.usage) {
    answer.input_tokens = text.usage->input_tokens;
    answer.output_tokens = text.usage->output_tokens;
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view NameOf(ErrorCode code) { return RowOf(static_cast<Fault>(code)).name; }

absl::Status CheckTimeout(std::chrono::milliseconds timeout) {
  if (timeout > std::chrono::milliseconds(0) && timeout <= kLongestTimeout) return absl::OkStatus();
  return Invalid(fmt::format("timeout is {} ms: it must be above 0 and at most 24 hours", timeout.count()));
}

std::string_view DialectOfReply(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (At(json, {"choices"}) != nullptr) return dialect::kOpenAiChat;
  if (At(json, {"content"}) != nullptr) return dialect::kAnthropicMessages;
  return dialect::kText;
}

absl::StatusOr<Query> ToQuery(Question question, const Options& options) {
  const std::string& route = question.route.empty() ? options.route : question.route;
  if (route.empty()) return Invalid("no route: name one, as in openai; `llm-router routes` lists them");
  RETURN_IF_ERROR(contract::CheckRouteName(route));
  const bool is_text = IsText(question.dialect);
  RETURN_IF_ERROR(is_text ? CheckText(question) : CheckDialect(question));
  const std::chrono::milliseconds timeout = question.timeout.value_or(options.timeout);
  RETURN_IF_ERROR(CheckTimeout(timeout));
  std::string& body = is_text ? question.text : question.body;
  if (body.size() > options.max_body) {
    return MakeFault(Fault::kTooLarge,
                     fmt::format("the question has {} bytes, the limit is {}: shorten it or raise max_body",
                                 body.size(), options.max_body));
  }
  Query query(Kind::kQuery, Message(contract::RequestsChannel(route), {}), Now() + timeout);
  ASSIGN_OR_RETURN(query.message.tags, TagsOf(question));
  query.message.body = std::move(body);
  query.message.id = NewId();
  query.message.timestamp = UnixNanos();
  return query;
}

absl::StatusOr<Answer> ToAnswer(std::string_view dialect, Reply reply) {
  if (!reply.executed) {
    if (reply.error.empty()) reply.error = "the query failed and its worker did not say why";
    return contract::ParseError(reply.error, reply.message.body);
  }
  Answer answer;
  FillFromTags(reply.message.tags, answer);
  answer.body = std::move(reply.message.body);
  if (IsText(dialect)) {
    RETURN_IF_ERROR(FillFromText(answer));
  } else {
    answer.text = TextOfReply(dialect, answer.body);
  }
  return answer;
}

Error ToError(const absl::Status& failure) {
  Error error;
  error.code = static_cast<ErrorCode>(FaultOf(failure));
  error.message = MessageOf(failure);
  error.retry_after = RetryAfterOf(failure);
  return error;
}

}  // namespace llm_router::client
