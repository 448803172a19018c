#include "router/config/tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kMaxNodes = 100'000;
constexpr size_t kMaxDepth = 64;

// Builds the tree from the parser's events: the library's own nodes would keep duplicate keys silently, and
// resolve aliases without a bound. What it refuses leaves as the parser's own exception.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view source) : source_(source) {}

  SettingNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Finish(mark, anchor, Leaf(mark, SettingNode::Kind::kNull, {}));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                const std::string& value) override {
    Finish(mark, anchor, Leaf(mark, SettingNode::Kind::kText, value));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw YAML::ParserException(mark, "an alias inside its own anchor");
    Count(mark, found->second.size);
    if (open_.size() + found->second.depth > kMaxDepth) throw YAML::ParserException(mark, kTooDeep);
    Attach(mark, found->second);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(mark, anchor, SettingNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(mark, anchor, SettingNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  static constexpr const char* kTooDeep = "more than 64 levels";

  struct Measured {
    SettingNode node;
    size_t size = 1;
    size_t depth = 1;
  };
  struct Level {
    Measured measured;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    std::optional<SettingNode> key;  // read, and waiting for its value
  };

  void Count(const YAML::Mark& mark, size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) throw YAML::ParserException(mark, "more than 100,000 values");
  }

  Measured Leaf(const YAML::Mark& mark, SettingNode::Kind kind, const std::string& text) {
    Count(mark, 1);
    Measured leaf{SettingNode(kind)};
    leaf.node.text = text;
    leaf.node.origin = fmt::format("{}:{}", source_, mark.line + 1);
    return leaf;
  }

  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, SettingNode::Kind kind) {
    if (open_.size() >= kMaxDepth) throw YAML::ParserException(mark, kTooDeep);
    open_.push_back(Level{Leaf(mark, kind, {}), mark, anchor, std::nullopt});
  }

  void Close() {
    Level level = std::move(open_.back());
    open_.pop_back();
    Finish(level.mark, level.anchor, std::move(level.measured));
  }

  void Finish(const YAML::Mark& mark, YAML::anchor_t anchor, Measured done) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = done;
    Attach(mark, std::move(done));
  }

  void Attach(const YAML::Mark& mark, Measured done) {
    if (open_.empty()) {
      root_ = std::move(done.node);
      return;
    }
    Level& level = open_.back();
    if (level.measured.node.kind == SettingNode::Kind::kMap) {
      if (!level.key) {
        if (done.node.kind != SettingNode::Kind::kText)
          throw YAML::ParserException(mark, "a key that is no text");
        level.key = std::move(done.node);
        return;
      }
      done.node.key = std::move(level.key->text);
      if (done.node.kind != SettingNode::Kind::kText) done.node.origin = std::move(level.key->origin);
      level.key.reset();
    }
    level.measured.size += done.size;
    level.measured.depth = std::max(level.measured.depth, done.depth + 1);
    level.measured.node.children.push_back(std::move(done.node));
  }

  std::string_view source_;
  SettingNode root_;
  std::vector<Level> open_;
  std::map<YAML::anchor_t, Measured> anchors_;
  size_t nodes_ = 0;
};

bool TabIndents(std::string_view text, int line) {
  for (; line > 0; --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

absl::Status NotYaml(std::string_view text, std::string_view source, const YAML::ParserException& failure) {
  const std::string_view remedy = !failure.mark.is_null() && TabIndents(text, failure.mark.line)
                                      ? "indent with spaces, not with tabs"
                                      : "mend it there";
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("{}:{}:{}: is not valid YAML: {}: {}", source, failure.mark.line + 1,
                               failure.mark.column + 1, failure.msg, remedy));
}

}  // namespace

SettingNode* SettingNode::Find(std::string_view name) {
  const auto found = std::ranges::find(children, name, &SettingNode::key);
  return found == children.end() ? nullptr : &*found;
}

const SettingNode* SettingNode::Find(std::string_view name) const {
  const auto found = std::ranges::find(children, name, &SettingNode::key);
  return found == children.end() ? nullptr : &*found;
}

absl::StatusOr<SettingNode> ParseYaml(std::string_view text, std::string_view source) {
  if (text.size() > kMaxSettingsBytes) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("{}: is larger than 1 MiB: configuration is not meant to be", source));
  }
  TreeBuilder builder(source);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    SettingNode root = builder.TakeRoot();
    if (parser.HandleNextDocument(builder)) {
      return MakeFault(Fault::kInvalidRequest,
                       fmt::format("{}: holds more than one YAML document: remove the lines ---", source));
    }
    return root;
  } catch (const YAML::ParserException& failure) {
    return NotYaml(text, source, failure);
  } catch (const YAML::Exception& failure) {
    return MakeFault(Fault::kInvalidRequest, fmt::format("{}: is not valid YAML: {}", source, failure.msg));
  }
}

}  // namespace llm_router
