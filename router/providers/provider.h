// Provider: a row of the table with what configuration says of it: how to call it, and what its failures
// mean.
//
// Owned by Providers, constant once the process serves; any thread. The key leaves it in one header of one
// call, and never in an error.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "router/config/config.h"
#include "router/dialects/dialect.h"
#include "router/net/http_client.h"
#include "router/providers/provider_table.h"

namespace llm_router {

class Provider {
 public:
  // `row` and `dialect` live as long as the process.
  Provider(const ProviderRow& row, const Dialect& dialect, ProviderConfig config);

  const std::string& id() const { return config_.id; }
  const ProviderRow& row() const { return row_; }
  const Dialect& dialect() const { return dialect_; }  // of its chats
  // What it is called in for a query in `callers`: the same where it speaks that, its own for other chats,
  // null where it can't answer such a query.
  const Dialect* DialectFor(const Dialect& callers) const;
  // Whether a simulator answers in its place.
  bool simulated() const { return simulated_; }

  // Fault provider_key_missing, naming the variable, for a provider that needs a key and has none.
  [[nodiscard]] absl::Status CheckKey() const;

  // A call of this provider for `model` with `body`, which is in `dialect` (one of DialectFor's) and changed
  // here as the row's quirks ask for; what they took away is in `warnings`. Deadline and max_reply are the
  // caller's to set.
  HttpCall MakeCall(const Dialect& dialect, std::string_view model, std::string body,
                    Warnings& warnings) const;
  HttpCall MakeCall(std::string_view model, std::string body, Warnings& warnings) const {
    return MakeCall(dialect_, model, std::move(body), warnings);
  }

  // Reads the body of a reply with status 200. A failure names the provider, and never shows the key.
  absl::StatusOr<ChatReply> ReadReply(const Dialect& dialect, std::string_view body) const;
  // The same of one that goes to a caller of `dialect` as it is: its model and usage alone.
  absl::StatusOr<ChatReply> GlanceAtReply(const Dialect& dialect, std::string_view body) const;
  absl::StatusOr<ChatReply> ReadReply(std::string_view body) const { return ReadReply(dialect_, body); }
  // A failure of a codec over its reply, with its name and without its key.
  [[nodiscard]] absl::Status Named(const absl::Status& failure) const;

  // What a reply with a status other than 200 means, as a fault and a sentence. Quotes what the provider said
  // where that helps whoever can mend it, without the key.
  [[nodiscard]] absl::Status ClassifyFailure(const HttpReply& reply) const;

  // Sends its calls to the simulator at `root` (http://127.0.0.1:8001) from now on, which plays its type.
  void Simulate(std::string_view root);

  bool has_key() const { return !config_.key.empty(); }

  // Where its calls go, without a slash at the end; and where to look for its key, in a sentence.
  const std::string& base_url() const { return config_.base_url; }
  std::string KeyPlace() const;

 private:
  std::string UrlFor(std::string_view path, std::string_view model) const;
  std::string Redact(std::string_view text) const;  // without its key and the values of its headers

  const ProviderRow& row_;
  const Dialect& dialect_;
  ProviderConfig config_;
  bool simulated_ = false;
};

}  // namespace llm_router
