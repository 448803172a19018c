#include "proto/file.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router::contract {

Json ToJsonValue(const File& file) {
  return {{"id", file.id},
          {"object", "file"},
          {"filename", file.filename},
          {"bytes", file.bytes},
          {"purpose", file.purpose},
          {"stored", file.stored},
          {"created_at", file.created_at}};
}

std::string ToJson(const File& file) { return Dump(ToJsonValue(file)); }

absl::StatusOr<File> ParseFile(const Json& object) {
  File file;
  file.id = StringOr(object, "id");
  if (file.id.empty()) return MakeFault(Fault::kInternal, "what came is no file: it has no id");
  file.filename = StringOr(object, "filename");
  file.purpose = StringOr(object, "purpose");
  file.bytes = IntOr(object, "bytes");
  file.stored = IntOr(object, "stored");
  file.created_at = IntOr(object, "created_at");
  return file;
}

std::string ToJson(const CreateFile& ask) {
  return Dump(
      {{"op", "file_create"}, {"filename", ask.filename}, {"purpose", ask.purpose}, {"bytes", ask.bytes}});
}

std::string ToJson(const AppendFile& ask) {
  return Dump({{"op", "file_append"}, {"file", ask.file}, {"offset", ask.offset}, {"data", ask.data}});
}

std::string ToJson(const AboutFile& ask) {
  return Dump({{"op", ask.op == AboutFile::Op::kStatus ? "file_status" : "file_delete"}, {"file", ask.file}});
}

std::string ToJson(const ReadFile& ask) {
  return Dump({{"op", "file_read"}, {"file", ask.file}, {"offset", ask.offset}});
}

std::string ToJson(const ListFiles& ask) {
  Json json = {{"op", "file_list"}, {"limit", ask.limit}};
  if (!ask.purpose.empty()) json["purpose"] = ask.purpose;
  if (!ask.after.empty()) json["after"] = ask.after;
  return Dump(json);
}

std::string ToJson(const FilePart& part) {
  return Dump({{"data", part.data}, {"next", part.next}, {"has_more", part.has_more}});
}

std::string ToJson(const FilePage& page) {
  Json files = Json::array();
  for (const File& file : page.files) files.push_back(ToJsonValue(file));
  return Dump({{"files", std::move(files)}, {"has_more", page.has_more}});
}

absl::StatusOr<FilePart> ParseFilePart(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a part of a file"));
  FilePart part;
  part.data = StringOr(json, "data");
  part.next = IntOr(json, "next");
  part.has_more = BoolOr(json, "has_more");
  return part;
}

absl::StatusOr<FilePage> ParseFilePage(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a page of files"));
  FilePage page;
  page.has_more = BoolOr(json, "has_more");
  for (const Json& row : ArrayOf(json, "files")) {
    ASSIGN_OR_RETURN(File file, ParseFile(row));
    page.files.push_back(std::move(file));
  }
  return page;
}

}  // namespace llm_router::contract
