#include "router/gateway/kubemq_json.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/dialects/json_body.h"

namespace llm_router {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using Wire = google::protobuf::Message;

constexpr BodyKind kBody{Fault::kInvalidRequest, "the body", "It must be a JSON object."};
constexpr std::string_view kBytes = "Body";
constexpr std::string_view kText = "BodyString";
constexpr size_t kMostInList = 20'000;

absl::Status ReadObject(const Json& object, Wire& message);

absl::Status WrongType(const FieldDescriptor& field, std::string_view takes) {
  return MakeFault(Fault::kInvalidRequest, fmt::format("{} takes {}", field.name(), takes));
}

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

const FieldDescriptor* FieldNamed(const Wire& message, std::string_view name) {
  const auto& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    if (SameName(descriptor.field(i)->name(), name)) return descriptor.field(i);
  }
  return nullptr;
}

std::optional<std::string> BytesOf(const Json& value) {
  std::string bytes;
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    if (!absl::Base64Unescape({text.data(), text.size()}, &bytes)) return std::nullopt;
    return bytes;
  }
  if (!value.is_array()) return std::nullopt;
  bytes.reserve(value.size());
  for (const Json& number : value) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() > 255) return std::nullopt;
    bytes.push_back(static_cast<char>(number.get<uint64_t>()));
  }
  return bytes;
}

template <class Integer>
std::optional<Integer> IntegerOf(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<Integer>::max())) return std::nullopt;
    return static_cast<Integer>(number);
  }
  if (!value.is_number_integer() || std::numeric_limits<Integer>::min() == 0) return std::nullopt;
  const auto number = value.get<int64_t>();
  if (number < static_cast<int64_t>(std::numeric_limits<Integer>::min())) return std::nullopt;
  return static_cast<Integer>(number);
}

absl::Status ReadString(const FieldDescriptor& field, const Json& value, Wire& message) {
  std::string text;
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    auto bytes = BytesOf(value);
    if (!bytes) {
      return WrongType(field,
                       "base64 text, or an array of numbers from 0 to 255; plain text goes in BodyString");
    }
    text = *std::move(bytes);
  } else if (value.is_string()) {
    text = value.get<std::string>();
  } else {
    return WrongType(field, "text");
  }
  message.GetReflection()->SetString(&message, &field, std::move(text));
  return absl::OkStatus();
}

absl::Status ReadNumber(const FieldDescriptor& field, const Json& value, Wire& message) {
  const Reflection& reflection = *message.GetReflection();
  const auto read = [&]<class Integer>(void (Reflection::*set)(Wire*, const FieldDescriptor*, Integer)
                                           const) {
    const auto number = IntegerOf<Integer>(value);
    if (number) (reflection.*set)(&message, &field, *number);
    return number.has_value();
  };
  bool is_read = false;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      is_read = read(&Reflection::SetInt32);
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      is_read = read(&Reflection::SetInt64);
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      is_read = read(&Reflection::SetUInt64);
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      is_read = read(&Reflection::SetEnumValue);
      break;
    default:
      break;
  }
  return is_read ? absl::OkStatus() : WrongType(field, "a whole number within its range");
}

// The only maps of the wire are tags.
absl::Status ReadTags(const FieldDescriptor& field, const Json& value, Wire& message) {
  if (!value.is_object()) return WrongType(field, "an object whose values are text");
  const auto& entry = *field.message_type();
  std::set<std::string> seen;
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return WrongType(field, "an object whose values are text");
    if (!seen.insert(name).second) {
      return MakeFault(Fault::kInvalidRequest, fmt::format("{} has the duplicate key \"{}\"; send it once",
                                                           field.name(), Excerpt(name)));
    }
    Wire* const added = message.GetReflection()->AddMessage(&message, &field);
    added->GetReflection()->SetString(added, entry.map_key(), name);
    added->GetReflection()->SetString(added, entry.map_value(), text.get<std::string>());
  }
  return absl::OkStatus();
}

// The only lists of these messages are of messages.
absl::Status ReadList(const FieldDescriptor& field, const Json& value, Wire& message) {
  if (!value.is_array() || field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
    return WrongType(field, "a list of objects");
  if (value.size() > kMostInList)
    return WrongType(field, fmt::format("at most {} objects: send several lists", kMostInList));
  for (const Json& element : value) {
    if (!element.is_object()) return WrongType(field, "a list of objects");
    RETURN_IF_ERROR(ReadObject(element, *message.GetReflection()->AddMessage(&message, &field)));
  }
  return absl::OkStatus();
}

absl::Status ReadField(const FieldDescriptor& field, const Json& value, Wire& message) {
  if (value.is_null()) return absl::OkStatus();
  if (field.is_map()) return ReadTags(field, value, message);
  if (field.is_repeated()) return ReadList(field, value, message);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (!value.is_object()) return WrongType(field, "an object");
      return ReadObject(value, *message.GetReflection()->MutableMessage(&message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return ReadString(field, value, message);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!value.is_boolean()) return WrongType(field, "true or false");
      message.GetReflection()->SetBool(&message, &field, value.get<bool>());
      return absl::OkStatus();
    default:
      return ReadNumber(field, value, message);
  }
}

// Both forms of a body may come, as we write both, but then they must agree.
absl::Status ReadBodyString(const Json& value, bool has_body, Wire& message) {
  const FieldDescriptor* const body = FieldNamed(message, kBytes);
  if (value.is_null() || body == nullptr) return absl::OkStatus();
  if (!value.is_string()) return MakeFault(Fault::kInvalidRequest, "BodyString takes text");
  std::string text = value.get<std::string>();
  if (has_body && message.GetReflection()->GetString(message, body) != text) {
    return MakeFault(Fault::kInvalidRequest, "Body and BodyString differ: send one of them");
  }
  message.GetReflection()->SetString(&message, body, std::move(text));
  return absl::OkStatus();
}

absl::Status ReadObject(const Json& object, Wire& message) {
  std::set<std::string_view> seen;
  const Json* text_body = nullptr;
  for (const auto& [name, value] : object.items()) {
    const bool is_text = SameName(name, kText);
    const FieldDescriptor* const field = is_text ? nullptr : FieldNamed(message, name);
    if (field == nullptr && !is_text) continue;
    const std::string_view own_name = is_text ? kText : std::string_view(field->name());
    if (!seen.insert(own_name).second) {
      return MakeFault(Fault::kInvalidRequest, fmt::format("{} is given twice: send it once", own_name));
    }
    if (is_text) {
      text_body = &value;
    } else {
      RETURN_IF_ERROR(ReadField(*field, value, message));
    }
  }
  if (text_body == nullptr) return absl::OkStatus();
  return ReadBodyString(*text_body, seen.contains(kBytes), message);
}

void WriteField(const Wire& message, const FieldDescriptor& field, Json& json) {
  const auto& reflection = *message.GetReflection();
  Json& value = json[field.name()];
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string text = reflection.GetString(message, &field);
      if (field.type() != FieldDescriptor::TYPE_BYTES) {
        value = ToUtf8(std::move(text));
        return;
      }
      value = absl::Base64Escape({text.data(), text.size()});
      if (field.name() == kBytes && !FirstBadUtf8(text)) json[std::string(kText)] = std::move(text);
      return;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      value = ToKubemqJson(reflection.GetMessage(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      value = reflection.GetBool(message, &field);
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      value = reflection.GetInt32(message, &field);
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      value = reflection.GetInt64(message, &field);
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      value = reflection.GetUInt64(message, &field);
      return;
    default:
      value = reflection.GetEnumValue(message, &field);
  }
}

Json ListOf(const Wire& message, const FieldDescriptor& field) {
  Json list = Json::array();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
    list.push_back(ToKubemqJson(reflection.GetRepeatedMessage(message, &field, i)));
  return list;
}

Json TagsOf(const Wire& message, const FieldDescriptor& field) {
  const auto& entry = *field.message_type();
  std::map<std::string, std::string> tags;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Wire& tag = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    tags.emplace(tag.GetReflection()->GetString(tag, entry.map_key()),
                 tag.GetReflection()->GetString(tag, entry.map_value()));
  }
  return tags;
}

}  // namespace

absl::Status ReadKubemqJson(std::string_view text, Wire& message) {
  ASSIGN_OR_RETURN(const Json body, ParseBody(text, kBody));
  return ReadObject(body, message);
}

Json ToKubemqJson(const Wire& message) {
  Json json = Json::object();
  const auto& descriptor = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.is_map()) {
      if (reflection.FieldSize(message, &field) > 0) json[field.name()] = TagsOf(message, field);
    } else if (field.is_repeated()) {
      if (reflection.FieldSize(message, &field) > 0) json[field.name()] = ListOf(message, field);
    } else if (reflection.HasField(message, &field)) {
      WriteField(message, field, json);
    }
  }
  return json;
}

std::string WriteKubemqJson(const Wire& message) { return DumpJson(ToKubemqJson(message)); }

}  // namespace llm_router
