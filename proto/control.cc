#include "proto/control.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "proto/json_fields.h"

namespace llm_router::contract {

std::string ToJson(const Cancel& cancel) {
  Json json = {{"op", "cancel"}, {"query", cancel.query}, {"deadline", cancel.deadline_ms}};
  if (cancel.gone) json["gone"] = true;
  return Dump(json);
}

std::string ToJson(const Credit& credit) {
  Json json = {{"op", "credit"}, {"query", credit.query}, {"seq", credit.seq}};
  if (!credit.stream_to.empty()) json["stream-to"] = credit.stream_to;
  return Dump(json);
}

std::string ToJson(const Resume& resume) {
  Json json = {
      {"op", "resume"}, {"query", resume.query}, {"after", resume.after}, {"stream-to", resume.stream_to}};
  if (!resume.stream_tag.empty()) json["stream-tag"] = resume.stream_tag;
  return Dump(json);
}

absl::StatusOr<Control> ParseControl(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a control message"));
  const std::string op = StringOr(json, "op");
  const std::string query = StringOr(json, "query");
  if (op == "cancel" && !query.empty()) {
    Cancel cancel(query, IntOr(json, "deadline"));
    cancel.gone = json.value("gone", Json(false)) == true;
    return cancel;
  }
  if (op == "credit" && !query.empty())
    return Credit(query, IntOr(json, "seq", -1), StringOr(json, "stream-to"));
  return MakeFault(Fault::kInvalidRequest,
                   R"(a control message is {"op": "cancel", "query": ID, "deadline": MS} or )"
                   R"({"op": "credit", "query": ID, "seq": N})");
}

absl::StatusOr<Resume> ParseResume(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a query to a worker"));
  Resume resume;
  resume.query = StringOr(json, "query");
  resume.after = IntOr(json, "after", -1);
  resume.stream_to = StringOr(json, "stream-to");
  resume.stream_tag = StringOr(json, "stream-tag");
  if (StringOr(json, "op") == "resume" && !resume.query.empty() && !resume.stream_to.empty()) return resume;
  return MakeFault(
      Fault::kInvalidRequest,
      R"(a query to a worker is {"op": "resume", "query": ID, "after": SEQ, "stream-to": CHANNEL})");
}

std::string StreamChannel(std::string_view tenant, std::string_view id) {
  return fmt::format("stream.{}.{}", tenant, id);
}

}  // namespace llm_router::contract
