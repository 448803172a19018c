#include "router/dialects/anthropic_messages_whole.h"

#include <nlohmann/json.hpp>

#include "router/dialects/anthropic_messages.h"
#include "router/dialects/json_merge.h"

namespace llm_router::anthropic_messages {
namespace {

// Where the pieces of a tool's input gather until it is whole; no block has a member of that name.
constexpr const char* kPieces = "\npieces";

const Json& MemberOf(const Json& object, const char* key) {
  static const Json kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

void Append(Json& object, const char* key, const Json& text) {
  if (!text.is_string()) return;
  Json& target = object[key];
  if (!target.is_string()) target = "";
  target.get_ref<std::string&>() += text.get_ref<const std::string&>();
}

}  // namespace

Whole::Whole()
    : message_(std::make_unique<Json>(Json::object())), blocks_(std::make_unique<Json>(Json::array())) {}
Whole::~Whole() = default;

void Whole::Add(std::string_view type, const Json& event) {
  if (type == "message_start" && MemberOf(event, "message").is_object()) {
    *message_ = MemberOf(event, "message");
  } else if (type == "content_block_start" && MemberOf(event, "content_block").is_object()) {
    if (Json* block = ItemAt(*blocks_, MemberOf(event, "index"))) SetMembers(*block, event["content_block"]);
  } else if (type == "content_block_delta" && MemberOf(event, "delta").is_object()) {
    if (Json* block = ItemAt(*blocks_, MemberOf(event, "index"))) AddDelta(*block, event["delta"]);
  } else if (type == "message_delta") {
    for (const auto& [key, value] : event.items()) {
      if (key == "type") continue;
      if (key == "delta" && value.is_object()) SetMembers(*message_, value);
      if (key == "usage" && value.is_object()) {
        Json& usage = (*message_)["usage"];
        if (!usage.is_object()) usage = Json::object();
        SetMembers(usage, value);
      }
      if (key != "delta" && key != "usage") (*message_)[key] = value;
    }
  }
}

void Whole::AddDelta(Json& block, const Json& delta) {
  const Json& type = MemberOf(delta, "type");
  if (type == "input_json_delta") return Append(block, kPieces, MemberOf(delta, "partial_json"));
  if (type == "citations_delta") {
    Json& citations = block["citations"];
    if (!citations.is_array()) citations = Json::array();
    citations.push_back(MemberOf(delta, "citation"));
    return;
  }
  // text, thinking, signature, and what is yet to be invented.
  for (const auto& [key, value] : delta.items()) {
    if (key != "type") Append(block, key.c_str(), value);
  }
}

std::string Whole::Take() {
  Json content = Json::array();
  for (Json& block : *blocks_) {
    block.erase("index");
    if (const Json& pieces = MemberOf(block, kPieces); pieces.is_string()) {
      Warnings unheard;  // the bytes that passed through were the caller's to judge
      const std::string input = pieces.get<std::string>();
      block.erase(kPieces);
      block["input"] = InputOf(input, unheard);
    }
    content.push_back(std::move(block));
  }
  *blocks_ = Json::array();
  (*message_)["content"] = std::move(content);
  return DumpJson(std::exchange(*message_, Json::object()));
}

}  // namespace llm_router::anthropic_messages
