// Quirk: one way in which a provider differs from the dialect it speaks, as data.
//
// A row of the table of providers has any number of them; ApplyQuirks is all there is that reads them. What a
// quirk takes away is named in the warnings, unless the caller had asked for no more than the default.
// Constant data and a pure function; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "router/dialects/chat.h"

namespace llm_router {

struct Quirk {
  enum class Kind {
    kRename,        // `field` is called `to`; where both are given, `field` counts
    kDrop,          // there is no `field`
    kRange,         // a number outside of `least` and `most` is sent as the nearer of them
    kRole,          // messages whose role is `field` have the role `to`
    kMessageField,  // messages have no `field`
  };

  Kind kind;
  std::string_view field;  // at the top level of a request, but for kRole and kMessageField
  std::string_view to = {};
  double least = 0;
  double most = 0;
  // kDrop: the value, as JSON, that is the provider's default anyway; null always is. Empty: false.
  std::string_view neutral = {};
  std::string_view beside = {};  // kDrop: only when this field is given too; empty: always
  // Which models it holds for: those whose names begin with one of `models` (empty: all) and hold none of
  // `except`.
  std::span<const std::string_view> models = {};
  std::span<const std::string_view> except = {};
};

// Whether the quirk holds for the model of that name.
bool HoldsFor(const Quirk& quirk, std::string_view model);

// `body`, a JSON object that CheckBody accepted, as a provider with these quirks takes it, in the order of
// the quirks. A body that no quirk concerns comes back as it is, byte for byte; of another the values that
// stay do.
std::string ApplyQuirks(std::span<const Quirk> quirks, std::string_view model, std::string body,
                        Warnings& warnings);

}  // namespace llm_router
