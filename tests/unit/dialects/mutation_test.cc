// Every golden body, cut, with bytes changed, and with values of the wrong type: a codec answers with a reply
// or a fault, whatever it is given. (Sanitizers watch.)
#include <nlohmann/json.hpp>

#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "router/dialects/json_body.h"
#include "tests/support/catch.h"
#include "tests/unit/dialects/golden.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;

const std::pair<const char*, const char*> kFolders[] = {{"openai_chat", "openai.chat"},
                                                        {"openai_completions", "openai.completions"},
                                                        {"openai_embeddings", "openai.embeddings"},
                                                        {"anthropic_count_tokens", "anthropic.count_tokens"},
                                                        {"anthropic_messages", "anthropic.messages"}};

constexpr BodyKind kBody{Fault::kInvalidRequest, "the body", "It must be a JSON object."};

// A glance at a reply takes what a reading takes, and tells the same of it.
void GlanceAt(const Dialect& dialect, const std::string& body) {
  const auto read = dialect.ParseReply(body);
  const auto glance = dialect.GlanceAtReply(body);
  if (!glance.ok() && FaultOf(glance.status()) != Fault::kProviderBadReply)
    FAIL("not the provider's fault: " << body);
  if (!read.ok()) return;
  const bool same = glance.ok() && glance->model == read->model && glance->usage == read->usage;
  if (!same) FAIL("a glance saw something else: " << body);
}

// Feeds `body` to everything; what parses must render in every dialect.
void Feed(const Dialect& dialect, const std::string& body) {
  Warnings warnings;
  if (const auto chat = dialect.ParseRequest(body); chat.ok()) {
    for (const Dialect* target : AllDialects()) (void)target->RenderRequest(*chat, warnings);
    for (const bool stream : {false, true}) (void)dialect.WithModel(body, "m", stream);
  } else if (FaultOf(chat.status()) != Fault::kInvalidRequest) {
    FAIL("not the caller's fault: " << body);
  }
  if (const auto reply = dialect.ParseReply(body); reply.ok()) {
    for (const Dialect* target : AllDialects()) (void)target->RenderReply(*reply, warnings);
  } else if (FaultOf(reply.status()) != Fault::kProviderBadReply) {
    FAIL("not the provider's fault: " << body);
  }
  GlanceAt(dialect, body);
  const auto json = ParseBody(body, kBody);
  if (CheckBody(body, kBody).ok() != json.ok()) FAIL("checked otherwise than read: " << body);
  if (json.ok() && *json != nlohmann::ordered_json::parse(body))
    FAIL("read otherwise than it stands there: " << body);
  (void)dialect.ParseError(body);
}

TEST_CASE("a body cut anywhere is refused") {
  for (const auto& [folder, name] : kFolders) {
    const Dialect& dialect = *FindDialect(name);
    for (const GoldenFile& file : GoldenFiles(folder)) {
      INFO(file.name);
      const size_t end = file.text.find_last_of('}');
      size_t accepted = 0;
      for (size_t cut = 0; cut <= end; ++cut) {
        const std::string body = file.text.substr(0, cut);
        Feed(dialect, body);
        accepted += CheckBody(body, kBody).ok();
      }
      CHECK(accepted == 0);
    }
  }
}

TEST_CASE("a body with any byte changed is read or refused") {
  for (const auto& [folder, name] : kFolders) {
    for (const GoldenFile& file : GoldenFiles(folder)) {
      INFO(file.name);
      for (size_t at = 0; at < file.text.size(); ++at) {
        constexpr std::string_view kBytes("\0\"{}[],:\\ \xFFn1", 14);
        std::string body = file.text;
        body[at] = kBytes[at % kBytes.size()];
        Feed(*FindDialect(name), body);
      }
    }
  }
}

TEST_CASE("a body with any value of another type is read or refused") {
  const Json kOthers[] = {nullptr, -1, "x", Json::array({nullptr}), Json{{"type", "text"}}};
  for (const auto& [folder, name] : kFolders) {
    for (const GoldenFile& file : GoldenFiles(folder)) {
      INFO(file.name);
      const Json flat = Json::parse(file.text).flatten();
      for (const auto& [path, value] : flat.items()) {
        for (Json::json_pointer at(path); !at.empty(); at.pop_back()) {
          for (const Json& other : kOthers) {
            Json body = Json::parse(file.text);
            body[at] = other;
            Feed(*FindDialect(name), body.dump());
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace llm_router
