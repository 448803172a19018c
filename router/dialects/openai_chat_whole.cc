#include "router/dialects/openai_chat_whole.h"

#include <nlohmann/json.hpp>

#include "router/dialects/json_merge.h"

namespace llm_router::openai_chat {
namespace {

// In a whole reply the items of a list have no number of their own.
void DropIndexes(Json& value) {
  for (Json& item : value) {
    if (value.is_array() && item.is_object()) item.erase("index");
    if (item.is_structured()) DropIndexes(item);
  }
}

}  // namespace

Whole::Whole(std::string_view object)
    : object_(object), json_(std::make_unique<Json>(Json{{"choices", Json::array()}})) {}
Whole::~Whole() = default;

void Whole::Add(const Json& chunk) {
  for (const auto& [key, value] : chunk.items()) {
    if (key == "obfuscation") continue;  // padding of the frame
    if (key == "choices") {
      for (const Json& choice : value) {
        if (choice.is_object()) AddChoice(choice);
      }
    } else if (!value.is_null() || !json_->contains(key)) {
      (*json_)[key] = value;
    }
  }
}

void Whole::AddChoice(const Json& choice) {
  Json* whole = ItemAt((*json_)["choices"], choice.value("index", Json(0)));
  if (whole == nullptr) return;
  for (const auto& [key, value] : choice.items()) {
    if (key == "delta") {
      Json& message = (*whole)["message"];
      if (message.is_null()) message = {{"role", "assistant"}, {"content", nullptr}};
      if (value.is_object()) MergeDelta(message, value);
    } else if (key == "text" || (key == "logprobs" && value.is_object())) {
      MergeDelta(*whole, Json{{key, value}});
    } else if (!value.is_null() || !whole->contains(key)) {
      (*whole)[key] = value;
    }
  }
}

std::string Whole::Take() {
  (*json_)["object"] = object_;
  for (Json& choice : (*json_)["choices"]) {
    if (choice.contains("message")) DropIndexes(choice["message"]);
  }
  return DumpJson(std::exchange(*json_, Json{{"choices", Json::array()}}));
}

}  // namespace llm_router::openai_chat
