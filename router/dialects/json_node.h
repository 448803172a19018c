// Node: a JSON value and where it stands in its body, so that every complaint names the path
// (`messages[2].content: must be a string or a list of parts`).
//
// Borrows the value and the node above it; both must outlive it. A member that is null counts as absent, as
// SDKs send null for what was not set. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "router/dialects/json_body.h"

namespace llm_router {

class Node {
 public:
  // The whole body; `kind` gives the fault, and the words before a path.
  Node(const Json& body, const BodyKind& kind) : json_(body), kind_(kind) {}

  const Json& json() const { return json_; }
  std::string Path() const;

  std::optional<Node> Find(std::string_view key) const;
  Node Item(size_t index) const;  // of a list

  // "<path>: <must>", or "<path>.<key>: <must>" for a member.
  absl::Status Wrong(std::string_view must) const;
  absl::Status Wrong(std::string_view key, std::string_view must) const;

  // A member into `out`, which stays as it is when the member is absent.
  absl::Status Read(std::string_view key, std::string& out) const;
  absl::Status Read(std::string_view key, bool& out) const;
  absl::Status Read(std::string_view key, std::optional<bool>& out) const;
  absl::Status Read(std::string_view key, std::optional<double>& out) const;
  absl::Status Read(std::string_view key, std::optional<int64_t>& out) const;
  // The same, but it must be there (and not be empty).
  absl::Status Require(std::string_view key, std::string& out) const;
  // A JSON object, as text.
  absl::Status ReadObject(std::string_view key, std::string& out) const;

  // The string member `type`; empty when there is none.
  std::string_view Type() const;

  // Calls `each` with every item of the list `key`, which may be absent; stops at the first failure.
  template <class Each>
  absl::Status ForEach(std::string_view key, Each&& each) const {
    const std::optional<Node> list = Find(key);
    if (!list) return absl::OkStatus();
    return list->Items(each);
  }
  // The same with the items of this list.
  template <class Each>
  absl::Status Items(Each&& each) const {
    if (!IsArray()) return Wrong("must be a list");
    for (size_t i = 0; i < Size(); ++i) {
      if (absl::Status status = each(Item(i)); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  // Calls `each` with every key of this object.
  template <class Each>
  void Keys(Each&& each) const {
    for (size_t i = 0; i < Size(); ++i) each(KeyAt(i));
  }

  bool IsString() const;
  bool IsObject() const;
  bool IsArray() const;
  std::string_view AsString() const;  // of a string

 private:
  Node(const Node& parent, std::string_view key, size_t index, const Json& json)
      : json_(json), kind_(parent.kind_), parent_(&parent), key_(key), index_(index) {}

  size_t Size() const;
  std::string_view KeyAt(size_t index) const;

  const Json& json_;
  const BodyKind& kind_;
  const Node* parent_ = nullptr;
  std::string_view key_;  // empty: the item at index_ of a list
  size_t index_ = 0;
};

}  // namespace llm_router
