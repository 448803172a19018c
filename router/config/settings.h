// The table of settings: every setting there is, a row each. Loading, checking and printing all read it.
//
// Constant data; any thread. A path is dot-separated; `*` stands for a name of the user's choice, `[]` for an
// item of a list: `routes.*.targets[].model`. A parent's row comes before its children's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "router/config/config.h"

namespace llm_router {

enum class SettingKind {
  kGroup,    // settings of fixed names
  kMap,      // entries under names of the user's choice; its one child is PATH.*
  kList,     // items in order; its one child is PATH[]
  kText,     // `least` and `most` bound its length in bytes
  kInteger,  // `least` and `most` bound its value
  kChoice,   // one of `choices`
};

// A value that passed its row's checks.
struct SettingValue {
  SettingValue() = default;

  std::string text;
  int64_t number = 0;    // of a kInteger
  std::string variable;  // the environment name it came from; empty: none
  std::string name;      // under which its map holds it
};

struct Setting {
  std::string_view path;
  SettingKind kind = SettingKind::kGroup;
  std::string_view fallback = {};  // the default, as text; empty: none
  bool required = false;
  bool secret = false;  // never shown, and no part of the version
  int64_t least = 0;
  int64_t most = 0;
  std::span<const std::string_view> choices = {};
  std::string_view shorthand = {};                // of a group: a bare value stands for this child
  std::span<const std::string_view> one_of = {};  // of a group: exactly one of these children is given
  std::string_view example = {};  // for the example file, where there is no default; of a `*`: a name
  std::string_view pattern = {};  // what `check` asks for, for the schema: of a text, or of the name of a `*`
  std::string_view remedy = {};   // what to do when it is missing; empty: "give one"
  absl::Status (*check)(std::string_view) = nullptr;  // of a text, or of the name of a `*` that is a group
  absl::Status (*check_name)(std::string_view) = nullptr;  // of the name of a `*` that is a text
  // Takes the value into `config`; a `*` or `[]` that is a group takes its name, and becomes the entry that
  // the rows below it fill. Absent for what only has rows below it.
  void (*store)(Config& config, const SettingValue& value) = nullptr;
  std::string_view help = {};
};

std::span<const Setting> AllSettings();

// The row whose children stand at the top of the file.
const Setting& RootSetting();

// The rows directly below `parent`.
std::vector<const Setting*> ChildrenOf(const Setting& parent);
// The last part of a row's path: `model`, `*`, `[]`.
std::string_view NameOf(const Setting& setting);

// What is wrong with a name below `parent` that the table does not hold, and its remedy.
std::string UnknownSetting(const Setting& parent, std::string_view name);

// `parent` extended by one step.
std::string JoinPath(std::string_view parent, std::string_view step);

// What is in force where no file says otherwise, as a file would say it.
extern const std::string_view kBuiltInSettings;

}  // namespace llm_router
