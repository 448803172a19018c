#include "broker_adapters/base/secret.h"

#include <openssl/crypto.h>

#include <utility>

#include "absl/strings/str_replace.h"

namespace llm_router {

Secret::Secret(Secret&& other) noexcept : value_(other.value_) { other.Wipe(); }

Secret& Secret::operator=(Secret other) noexcept {
  Wipe();
  value_ = other.value_;
  return *this;
}

Secret::~Secret() { Wipe(); }

std::string Secret::Redact(std::string_view text) const {
  std::string redacted(text);
  if (!value_.empty()) absl::StrReplaceAll({{value_, "***"}}, &redacted);
  return redacted;
}

void Secret::Wipe() {
  OPENSSL_cleanse(value_.data(), value_.size());
  value_.clear();
}

}  // namespace llm_router
