#include "router/dialects/json_node.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <ranges>

namespace llm_router {

std::string Node::Path() const {
  if (parent_ == nullptr) return {};
  std::string path = parent_->Path();
  if (key_.empty()) return fmt::format("{}[{}]", path, index_);
  return path.empty() ? std::string(key_) : fmt::format("{}.{}", path, key_);
}

// The last of equal keys counts, as in most parsers.
std::optional<Node> Node::Find(std::string_view key) const {
  if (!json_.is_object()) return std::nullopt;
  for (const auto& [name, value] : json_.get_ref<const Json::object_t&>() | std::views::reverse) {
    if (name != key) continue;
    if (value.is_null()) return std::nullopt;
    return Node(*this, key, 0, value);
  }
  return std::nullopt;
}

Node Node::Item(size_t index) const { return Node(*this, {}, index, json_[index]); }

absl::Status Node::Wrong(std::string_view must) const {
  const std::string path = Path();
  const bool request = kind_.fault == Fault::kInvalidRequest;
  const std::string_view subject = request && !path.empty() ? std::string_view() : kind_.subject;
  return MakeFault(kind_.fault, fmt::format("{}{}{}: {}", subject,
                                            subject.empty() || path.empty() ? "" : ": ", path, must));
}

absl::Status Node::Wrong(std::string_view key, std::string_view must) const {
  return Node(*this, key, 0, json_).Wrong(must);
}

absl::Status Node::Read(std::string_view key, std::string& out) const {
  const auto member = Find(key);
  if (!member) return absl::OkStatus();
  if (!member->IsString()) return member->Wrong("must be a string");
  out = member->AsString();
  return absl::OkStatus();
}

absl::Status Node::Read(std::string_view key, bool& out) const {
  std::optional<bool> value;
  absl::Status status = Read(key, value);
  if (value) out = *value;
  return status;
}

absl::Status Node::Read(std::string_view key, std::optional<bool>& out) const {
  const auto member = Find(key);
  if (!member) return absl::OkStatus();
  if (!member->json().is_boolean()) return member->Wrong("must be true or false");
  out = member->json().get<bool>();
  return absl::OkStatus();
}

absl::Status Node::Read(std::string_view key, std::optional<double>& out) const {
  const auto member = Find(key);
  if (!member) return absl::OkStatus();
  if (!member->json().is_number()) return member->Wrong("must be a number");
  out = member->json().get<double>();
  return absl::OkStatus();
}

absl::Status Node::Read(std::string_view key, std::optional<int64_t>& out) const {
  const auto member = Find(key);
  if (!member) return absl::OkStatus();
  const Json& json = member->json();
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<uint64_t>() > kMost))
    return member->Wrong("must be a whole number");
  out = json.get<int64_t>();
  return absl::OkStatus();
}

absl::Status Node::Require(std::string_view key, std::string& out) const {
  if (!IsObject()) return Wrong("must be an object");
  if (absl::Status status = Read(key, out); !status.ok()) return status;
  if (out.empty()) return Wrong(key, "must be a string that is not empty");
  return absl::OkStatus();
}

absl::Status Node::ReadObject(std::string_view key, std::string& out) const {
  const auto member = Find(key);
  if (!member) return absl::OkStatus();
  if (!member->IsObject()) return member->Wrong("must be an object");
  out = DumpJson(member->json());
  return absl::OkStatus();
}

std::string_view Node::Type() const {
  const auto type = Find("type");
  return type && type->IsString() ? type->AsString() : std::string_view();
}

bool Node::IsString() const { return json_.is_string(); }
bool Node::IsObject() const { return json_.is_object(); }
bool Node::IsArray() const { return json_.is_array(); }
std::string_view Node::AsString() const { return json_.get_ref<const std::string&>(); }
size_t Node::Size() const { return json_.size(); }

std::string_view Node::KeyAt(size_t index) const {
  return (json_.get_ref<const Json::object_t&>().begin() + static_cast<std::ptrdiff_t>(index))->first;
}

}  // namespace llm_router
